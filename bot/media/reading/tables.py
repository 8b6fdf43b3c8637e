"""Spreadsheets: Excel (new, binary and old) and OpenDocument."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import python_calamine

from bot.errors import MediaError, MediaErrorKind
from bot.media.reading.contents import Contents, amount, span

ROWS = 50
"""Rows to a section."""


def read(path: Path, found: Contents) -> None:
    """Sheet by sheet, a line per row."""
    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        names = book.sheet_names
        found.extent = amount(len(names), "sheet")
        for number, name in enumerate(names):
            if found.full:
                found.leave_out(f"{amount(len(names) - number, 'sheet')} from “{name}” on")
                return
            _sheet(name, book.get_sheet_by_index(number), found)
    except python_calamine.PasswordError as error:
        raise MediaError(MediaErrorKind.LOCKED) from error
    except (python_calamine.CalamineError, ValueError) as error:
        raise MediaError(MediaErrorKind.NOT_DOCUMENT) from error


def _sheet(name: str, sheet: python_calamine.CalamineSheet, found: Contents) -> None:
    at = number = (sheet.start or (0, 0))[0] + 1
    last = at + sheet.height - 1
    lines: list[str] = []
    for number, row in enumerate(sheet.iter_rows(), start=at):
        if not lines:
            at = number
        lines.append(_line(row))
        if len(lines) >= ROWS:
            found.add(_mark(name, at, number), "\n".join(lines))
            lines = []
            if found.full and number < last:
                left = span("row", number + 1, last)
                found.leave_out(f"{left} of sheet “{name}”")
                return
    found.add(_mark(name, at, number), "\n".join(lines))


def _mark(name: str, first: int, last: int) -> str:
    return f"sheet “{name}”, {span('row', first, last)}"


def _line(row: Sequence[object]) -> str:
    return " | ".join(_cell(value) for value in row).rstrip(" |")


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat()
    return " ".join(str(value).split())
