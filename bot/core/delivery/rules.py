"""Lines of three dashes directly under words, which models mean as a rule.

    All of this was said before:
    ---

To CommonMark the paragraph would be a heading: all of what has been read would change at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.core.delivery.markdown import code_blocks

_RULE = re.compile(r"(?P<quote>(?:[ ]{0,3}>[ ]?){0,3})[ ]{0,3}---[ \t]*$", re.MULTILINE)
_ADDED = 16
"""Characters that a rule takes more at most: a line with three quotes."""


def with_rules(text: str) -> str:
    """The text with a blank line before each rule that is directly under words."""
    rules = list(_rules(text))
    if not rules:
        return text
    codes = [(code.start, code.end) for code in code_blocks(text)]
    pieces: list[str] = []
    at = 0
    for found in rules:
        start = found.start()
        if not any(a <= start < b for a, b in codes):
            pieces += [text[at:start], found["quote"].rstrip(), "\n"]
            at = start
    return "".join([*pieces, text[at:]])


def most_added(text: str) -> int:
    """So many characters may be added to a text at most."""
    return _ADDED * sum(1 for _ in _rules(text))


def _rules(text: str) -> Iterator[re.Match[str]]:
    """The lines of three dashes that are directly under words, and no part of a table."""
    at = text.find("---")
    while at >= 0:
        start = text.rfind("\n", 0, at) + 1
        before = text[text.rfind("\n", 0, max(0, start - 1)) + 1 : start].strip(" \t>\n")
        found = _RULE.match(text, start) if before and not before.endswith("|") else None
        if found:
            yield found
        end = text.find("\n", at)
        at = text.find("---", end) if end >= 0 else -1
