"""Lines of dashes or equals signs directly under words, which models mean as a rule.

    All of this was said before:
    ---

To CommonMark the paragraph would be a heading: all of what has been read would change at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.core.delivery.markdown import ITEM, in_code

_UNDERLINE = re.compile(
    r"\n(?=[ >]*+[-=]+[ \t]*+$)"  # quickly
    r"(?P<quote>(?:[ ]{0,3}>[ ]?){0,3})[ ]{0,3}(?P<signs>-+|=+)[ \t]*$",
    re.MULTILINE,
)
_ADDED = 16
"""Characters that a rule takes more at most: a line with three quotes."""
_LEAST = 3
"""Signs of a rule; fewer are words, or the beginning of a list."""


def with_rules(text: str) -> str:
    """The text with a blank line before what would make a heading of the words above it."""
    found = list(_underlines(text))
    if not found:
        return text
    is_code = in_code(text)
    pieces: list[str] = []
    at = 0
    for line in found:
        start = line.start() + 1
        if is_code(start):
            continue
        pieces += [text[at:start], line["quote"].rstrip(), "\n"]
        at = start
        if line["signs"][0] == "=" and len(line["signs"]) >= _LEAST:
            pieces += [line["quote"], "---"]
            at = line.end()
    return "".join([*pieces, text[at:]])


def most_added(text: str) -> int:
    """So many characters may be added to a text at most."""
    return _ADDED * sum(1 for _ in _underlines(text))


def _underlines(text: str) -> Iterator[re.Match[str]]:
    """The lines of one sign that are directly under words, and no part of a table or a list."""
    for found in _UNDERLINE.finditer(text):
        before = text[text.rfind("\n", 0, found.start()) + 1 : found.start()].strip(" \t>")
        is_item = found["signs"] == "-" and ITEM.match(f"{before} ")
        if before and not before.endswith("|") and not is_item:
            yield found
