"""Options of a command: `/image a cat --n 2 --size=512x512`. What is no option is the argument.

Options may stand anywhere, since on a phone one thinks of them last; and keyboards that make one
dash of two (`—n 2`), long ones or wide ones are understood. Chinese needs no space before them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from gettext import NullTranslations

from bot.core.commands.table import nearest
from bot.core.punctuation import enumerated, in_a_row

_OPTION = re.compile(
    r"(?<![^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef])(?P<dash>--|－－|——?|–)(?P<name>[A-Za-z][\w-]*)"
    r"(?:(?:[=＝]|\s+|\Z)(?P<value>\"[^\"]*\"|“[^”]*”|(?!--|－－|—)\S+)?)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option that a command takes.

    A `flag` has no value. `low` and `high` make it a whole number between the two.
    """

    name: str
    flag: bool = False
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was typed: the argument without the options, and the options by name.

    A flag that was given has its own name as value.
    """

    argument: str
    values: dict[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """The value of an option; empty when it was not given."""
        return self.values.get(name, "")

    def number(self, name: str, default: int) -> int:
        """The value of a number."""
        return int(self.values.get(name, default))


class OptionError(Exception):
    """The options cannot be understood; the text says why, in the person's language."""


def take_options(argument: str, known: Sequence[Option], texts: NullTranslations) -> Given:
    """Take the options out of what stands behind a command. Raises `OptionError`."""
    by_name = {option.name: option for option in known}
    values: dict[str, str] = {}
    rest: list[str] = []
    at = 0
    for found in _OPTION.finditer(argument):
        if found.start() < at:
            continue
        name = found["name"].lower()
        option = by_name.get(name)
        if option is None:
            if found["dash"] != "--":  # a dash in a sentence
                continue
            raise OptionError(_unknown(name, by_name, texts))
        end = found.end("name") if option.flag else found.end()
        values[name] = name if option.flag else _value(option, found["value"], texts)
        rest.append(argument[at : found.start()])
        at = end
    rest.append(argument[at:])
    words = " ".join(part.strip() for part in rest if part.strip())
    return Given(argument=words, values=values)


def _value(option: Option, value: str | None, texts: NullTranslations) -> str:
    _ = texts.gettext
    value = (value or "").strip('"“”').strip()
    if option.low is not None and option.high is not None:
        if value.isdecimal() and option.low <= int(value) <= option.high:
            return str(int(value))
        text = _("`--{name}` takes a whole number from {low} to {high}.")
        raise OptionError(text.format(name=option.name, low=option.low, high=option.high))
    if not value:
        raise OptionError(_("`--{name}` needs a value behind it.").format(name=option.name))
    return value


def _unknown(name: str, known: dict[str, Option], texts: NullTranslations) -> str:
    _ = texts.gettext
    text = _("There is no option `--{name}` here.").format(name=name)
    if near := nearest(known, name):
        hint = _("Did you mean `--{near}`?").format(near=near)
    else:
        names = enumerated(texts, (f"`--{each}`" for each in known))
        hint = _("There are: {names}.").format(names=names)
    return in_a_row(texts, text, hint)
