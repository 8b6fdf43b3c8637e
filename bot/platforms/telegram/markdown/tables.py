"""Tables as aligned columns of a monospaced font, which is all that Telegram has for them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import zip_longest

WIDE_CELL = 40
"""Columns are aligned up to this width; a longer cell just pushes its row."""
_INVISIBLE = frozenset("\u200b\u200c\u200d\u2060\ufe0e\ufe0f")


def columns(text: str) -> int:
    """Cells of a terminal that a text takes: Chinese characters and emoji take two."""
    width = 0
    joined = False
    for character in text:
        if character == "\u200d":
            joined = True
            continue
        if not joined and character not in _INVISIBLE and not unicodedata.combining(character):
            width += 2 if unicodedata.east_asian_width(character) in "WF" else 1
        joined = False
    return width


def layout(rows: Sequence[Sequence[str]], alignments: Sequence[str]) -> str:
    """The rows under each other; the first is the head. Alignments: None, Left, Center, Right."""
    cells = list(zip_longest(*rows, fillvalue=""))
    widths = [max(min(columns(cell), WIDE_CELL) for cell in column) for column in cells]
    known = [*alignments, *["None"] * len(widths)]
    aligned = list(zip(known, widths, strict=False))
    lines = [_line(row, aligned) for row in rows]
    if len(lines) > 1:
        lines.insert(1, "─┼─".join("─" * width for width in widths))
    return "\n".join(lines)


def _line(row: Sequence[str], aligned: Sequence[tuple[str, int]]) -> str:
    cells = [*row, *[""] * (len(aligned) - len(row))]
    padded = [_pad(cell, *place) for cell, place in zip(cells, aligned, strict=True)]
    return " │ ".join(padded).rstrip()


def _pad(cell: str, alignment: str, width: int) -> str:
    room = max(0, width - columns(cell))
    before = {"Right": room, "Center": room // 2}.get(alignment, 0)
    return " " * before + cell + " " * (room - before)
