"""What is code, and what stands around it."""

from __future__ import annotations

import re

import pytest

from bot.core.delivery.markdown import beside, outside_code


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("a\n```sh\nb\n```\nc", "A\n```SH\nb\n```\nC"),
        ("a\n> ```\n> b", "A\n> ```\n> b"),
        ("say ``` and ~~~\n```\nb\n```\n", "SAY ``` AND ~~~\n```\nb\n```\n"),
        (" " * 250 + "```\na", " " * 250 + "```\nA"),
    ],
)
def test_words_are_changed_and_code_is_not(text: str, changed: str) -> None:
    assert outside_code(text, str.upper) == changed


@pytest.mark.parametrize("text", ["a [b] c", "before\na [b] c\nbehind"])
def test_what_stands_beside_something_is_of_its_line(text: str) -> None:
    found = re.search(r"\[b\]", text)
    assert found is not None and beside(found) == ("a ", " c")
