"""Blocks that readers of Markdown would take for others than they are meant. Pure functions.

Words directly under a table would be a row of it, and `> [!NOTE]`, which GitHub draws as a heading
of its quote, would be seen as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.core.delivery import item_numbers, rules
from bot.core.delivery.markdown import ITEM, in_code, is_rule

_BELOW_ROW = re.compile(r"\|[ \t]*\n(?P<quote>[ \t]*(?:>[ ]?)*)(?=[^\s|>])")
_ROW = re.compile(r"[ \t>]*(?:[-*+][ ]+|\d{1,9}[.)][ ]+)?\|")
_ADDED = 32
"""Characters that a blank line under a table takes at most, as far as it is of use to know."""
_ALERT = re.compile(
    r"^(?P<quote>[ ]{0,3}>[ ]?)\[!(?P<name>NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*$",
    re.MULTILINE,
)


def with_blocks(text: str) -> str:
    """The text with its blocks so that every reader takes them for what they are meant."""
    text = item_numbers.with_own_numbers(rules.with_rules(text))
    ends = list(_ends(text)) if "|" in text else []
    if ends:
        text = _with_ends(text, ends)
    return _ALERT.sub(_alert, text) if "[!" in text else text


def most_added(text: str) -> int:
    """So many characters may be added to a text at most."""
    ends = sum(1 for _ in _ends(text)) if "|" in text else 0
    added = rules.most_added(text) + item_numbers.most_added(text)
    return added + _ADDED * ends + text.count("[!")


def _ends(text: str) -> Iterator[re.Match[str]]:
    """The ends of tables that words follow on the next line."""
    for found in _BELOW_ROW.finditer(text):
        end = text.find("\n", found.end())
        below = text[found.end() : end if end >= 0 else len(text)]
        if not is_rule(below) and not ITEM.match(below) and _is_in_table(text, found.start() + 1):
            yield found


def _is_in_table(text: str, end: int) -> bool:
    """Whether the line that ends there and those above it are the rows of a table, and its rule."""
    while end >= 0:
        start = text.rfind("\n", 0, end) + 1
        line = text[start:end]
        if is_rule(line):
            return True
        if _ROW.match(line) is None:
            return False
        end = start - 1
    return False


def _with_ends(text: str, ends: list[re.Match[str]]) -> str:
    """The text with a blank line under each of these rows, unless it is code."""
    is_code = in_code(text)
    pieces: list[str] = []
    at = 0
    for found in ends:
        if not is_code(found.start()):
            start = text.index("\n", found.start()) + 1
            pieces += [text[at:start], found["quote"].rstrip(), "\n"]
            at = start
    return "".join([*pieces, text[at:]])


def _alert(found: re.Match[str]) -> str:
    return f"{found['quote']}**{found['name'].capitalize()}**"
