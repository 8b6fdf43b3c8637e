r"""Pipes inside of the cells of tables, which models often write without a backslash.

    | `a | b` | either |

has three cells to GitHub. In a table of two columns the last one would not be shown, and the code
would come apart. Pure functions.
"""

from __future__ import annotations

import re

from bot.core.delivery.markdown import MARKER, Line, LineKind, lines

_HELD = re.compile(
    r"`(?<!``)(?P<ticks>`*)(?!`)[^\n]+?(?<!`)`(?P=ticks)(?!`)"  # code
    r"|\$(?<!\\\$)(?=[^\s$])[^$\n]+(?<=\S)\$|\\\([^\n]{1,300}?\\\)"  # a formula
)
_CODE = re.compile(r"`(?<![^\s|(*]`)[^`\n|\\]*(?:\\.[^`\n|\\]*)*\|")
_DOLLARS = re.compile(r"\$(?=[^\s$])[^$\n|]*\|[^$\n]*(?<=\S)\$")
_BRACKETS = re.compile(r"\\\((?:[^\n|\\]|\\[^)]){0,300}\|")
_RULE = re.compile(r"\|[ \t]*:?-|-:?[ \t]*\|")
_PIPE = re.compile(r"(?<!\\)\|")
_ROWS = frozenset({LineKind.TABLE_HEAD, LineKind.TABLE_ROW})


def with_cells(text: str) -> str:
    r"""The text with no more cells in a row than its table has, where they are meant so.

    Of a row with too many, pipes in code get a backslash; in formulas they are written `\vert`.
    """
    if not _may_hold(text):
        return text
    return "".join(
        _whole(text, line) if line.kind in _ROWS else text[line.start : line.end]
        for line in lines(text)
    )


def most_added(text: str) -> int:
    """So many bytes may be added to a text at most, when its formulas are code."""
    return 2 * text.count("|") if _may_hold(text) else 0


def _may_hold(text: str) -> bool:
    """Whether a pipe may stand in code or in a formula; quickly, as mostly none does."""
    if "|" not in text:
        return False
    found = _CODE.search(text) or ("$" in text and _DOLLARS.search(text))
    found = found or ("\\(" in text and _BRACKETS.search(text))
    return bool(found) and _RULE.search(text) is not None


def _whole(text: str, line: Line) -> str:
    """A row, with its pipes escaped that would make it too long."""
    row, rule = text[line.start : line.end], text[line.table : line.head].split("\n", 2)[1]
    columns = len(re.findall("-+", rule))
    if _cells(row) <= columns:
        return row
    whole = _HELD.sub(_escaped, row)
    return whole if _cells(whole) >= columns else row


def _cells(row: str) -> int:
    """How many cells a row has."""
    begin = MARKER.match(row)
    inner = row[begin.end() if begin else 0 :].strip().removeprefix("|").removesuffix("|")
    return len(_PIPE.findall(inner)) + 1


def _escaped(found: re.Match[str]) -> str:
    return _PIPE.sub(r"\\|" if found[0][0] == "`" else r"\\vert{}", found[0])
