"""Every text that people read exists in every language, whole and up to date."""

from __future__ import annotations

import ast
import io
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.core.i18n import DOMAIN, LANGUAGES, LOCALES

KEYWORDS = {"_", "gettext", "ngettext", "N_", "Phrase"}
BOT = Path(__file__).parent.parent / "bot"
TRANSLATED = [language for language in LANGUAGES if language != "en"]


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """The calls of functions and methods with these names, and where each stands."""
    for path in BOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                if name in names:
                    yield f"{path.relative_to(BOT.parent)}:{node.lineno}", node


def said() -> set[str]:
    """What the code says, as gettext would look it up; also inside of f-strings."""
    return {
        call.args[0].value
        for _, call in calls(*KEYWORDS)
        if call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_operators_are_told_nothing_that_cannot_be_translated() -> None:
    """A literal in an error of the configuration or in a finding would be English for everybody."""
    told = [
        place
        for place, call in calls("ConfigError", "Finding")
        for value in (*call.args, *(keyword.value for keyword in call.keywords))
        if isinstance(value, ast.JoinedStr)
        or (isinstance(value, ast.Constant) and isinstance(value.value, str))
    ]
    assert told == [], "write it as a Phrase"


def source(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def catalogue(language: str) -> Catalog:
    with source(language).open("rb") as file:
        return read_po(file, locale=language)


def first(text: str | tuple[str, ...] | list[str] | None) -> str:
    return text if isinstance(text, str) else text[0] if text else ""


def forms(text: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [text] if isinstance(text, str) else list(text or ())


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_missing_and_none_is_left_over(language: str) -> None:
    translated = {
        first(m.id) for m in catalogue(language) if m.id and first(m.string) and not m.fuzzy
    }
    found = said()
    assert found - translated == set(), f"translate it in {source(language)}, then `make locales`"
    assert translated - found == set(), f"said nowhere any more: delete it in {source(language)}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_text_is_translated_twice(language: str) -> None:
    # Two branches may both add a text; of two translations a reader silently takes the last.
    quoted = re.findall(r'^msgid ((?:".*"\n)+)', source(language).read_text("utf-8"), re.MULTILINE)
    counts = Counter(ast.literal_eval(f"({text})") for text in quoted)
    assert len(counts) == len(list(catalogue(language)))  # the header is one of both
    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_keep_commands_and_places_to_fill(language: str) -> None:
    marks = re.compile(r"\{\w+\}|/[a-z]+|`")
    for message in catalogue(language):
        if message.id:
            english = forms(message.id)
            for other in forms(message.string):
                assert sorted(marks.findall(english[-1])) == sorted(marks.findall(other)), english
            # The singular may leave the number out, but has nothing that the plural has not.
            assert set(marks.findall(english[0])) <= set(marks.findall(english[-1])), english


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_compiled_catalogue_is_the_source(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue(language))
    assert source(language).with_suffix(".mo").read_bytes() == compiled.getvalue(), (
        "run `make locales`"
    )


def test_the_chinese_bot_has_one_way_to_speak_to_people() -> None:
    for message in catalogue("zh"):
        for text in forms(message.string):
            assert "您" not in text
            assert "接口" not in text
            assert not re.search("(?<!…)…(?!…)", text), text
        if "operator" in "".join(forms(message.id)):
            assert "运营者" in "".join(forms(message.string))
