from __future__ import annotations

from gettext import NullTranslations

import pytest

from bot.core.commands.options import Option, OptionError, take_options

KNOWN = (
    Option(name="size"),
    Option(name="n", low=1, high=10),
    Option(name="mask", flag=True),
)


@pytest.mark.parametrize(
    ("typed", "argument", "values"),
    [
        ("a cat", "a cat", {}),
        ("a cat --n 2 on a mat --size=512x512", "a cat on a mat", {"n": "2", "size": "512x512"}),
        ("a cat —n 3", "a cat", {"n": "3"}),
        ("一只猫 ——n 3 －－size＝512x512", "一只猫", {"n": "3", "size": "512x512"}),
        ("--mask make it blue", "make it blue", {"mask": "mask"}),
        ("a dog — brown —and big -- asleep", "a dog — brown —and big -- asleep", {}),
        ('a --size "very large" b', "a b", {"size": "very large"}),
        ("a --SIZE 1x1", "a", {"size": "1x1"}),
        ("well--n 3 known", "well--n 3 known", {}),
        ("一只猫--n 3", "一只猫", {"n": "3"}),
        ("一只猫，戴帽子。——size 512x512", "一只猫，戴帽子。", {"size": "512x512"}),
        ("一只猫——name 是咪咪", "一只猫——name 是咪咪", {}),
        ("line one\n--n 2\nline two", "line one line two", {"n": "2"}),
    ],
)
def test_options_stand_anywhere(typed: str, argument: str, values: dict[str, str]) -> None:
    given = take_options(typed, KNOWN, NullTranslations())
    assert (given.argument, given.values) == (argument, values)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("x --sise 3", "There is no option `--sise` here. Did you mean `--size`?"),
        ("x --zzz", "There is no option `--zzz` here. There are: `--size`, `--n`, `--mask`."),
        ("x --n 1000", "`--n` takes a whole number from 1 to 10."),
        ("x --n", "`--n` takes a whole number from 1 to 10."),
        ("x --n -1", "`--n` takes a whole number from 1 to 10."),
        ("x --n two", "`--n` takes a whole number from 1 to 10."),
        ("x --size", "`--size` needs a value behind it."),
        ("x --size --n 2", "`--size` needs a value behind it."),
    ],
)
def test_what_is_wrong_is_said(typed: str, sentence: str) -> None:
    with pytest.raises(OptionError) as error:
        take_options(typed, KNOWN, NullTranslations())
    assert str(error.value) == sentence
