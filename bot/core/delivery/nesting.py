"""The lists and quotes in which a line stands, after CommonMark 0.31.

Columns count from the beginning of a line, or from behind the `>` of the innermost quote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from bot.core.delivery.markdown import Fence, fence_after, fence_in

_MARKER = re.compile(r"(?:[-+*]|(?P<number>\d{1,9})[.)])(?P<gap>[ \t]+|$)")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_HEADING = re.compile(r"#{1,6}(?:[ \t]|$)")
TAB = 4
DEEPEST = 50
"""Lists and quotes in each other at most; what is deeper is words."""
_CODE = 4
"""Columns of indentation that make code of a line."""


class Item(NamedTuple):
    """An item of a list: where its words begin, what it is marked with, the number it shows.

    That is counted from the first of the list on, as of `1.` and `1.`, unless `is_free` says that
    a number did not follow the one before it, or began anew further in than that at its `margin`:
    then it is the one that is `written`.
    """

    column: int
    sign: str
    number: int = 0
    written: int = 0
    is_free: bool = False
    margin: int = 0


class Nesting(NamedTuple):
    """What is open between two lines: items and quotes (None), outermost first; code; words."""

    stack: tuple[Item | None, ...] = ()
    fence: Fence | None = None
    has_words: bool = False

    @property
    def quotes(self) -> int:
        """How many quotes are open."""
        return self.stack.count(None)


NOTHING_OPEN = Nesting()


class Marker(NamedTuple):
    """The sign of an item: its column, and where in the line its number stands, if it has one."""

    column: int
    start: int
    end: int
    item: Item


class Reading(NamedTuple):
    """What a line means where it stands.

    It goes on in the first `kept` containers of those that were open. `levels` are the places
    behind which its columns count: its beginning, and behind each `>`. `marker` is the sign of the
    first item that begins in it, unless a quote begins before. `goes_on` says that it belongs to
    the paragraph before it.
    """

    nesting: Nesting
    kept: int
    levels: tuple[int, ...] = (0,)
    marker: Marker | None = None
    is_rule: bool = False
    is_code: bool = False
    goes_on: bool = False


def blanks(line: str, start: int, column: int = 0) -> tuple[int, int]:
    """The end of the white space that begins at `start`, and its column."""
    end = len(line) - len(line[start:].lstrip(" \t"))
    if "\t" not in line[start:end]:
        return end, column + end - start
    return end, column + sum(widths(line, start, end))


def widths(line: str, start: int, end: int) -> Iterator[int]:
    """How many columns each of these blanks takes: a tab reaches to the next tab stop."""
    column = len(line[:start].expandtabs(TAB))
    for at in range(start, end):
        width = TAB - column % TAB if line[at] == "\t" else 1
        column += width
        yield width


def _is_rule(line: str, at: int) -> bool:
    return line[at : at + 1] in ("*", "-", "_") and _RULE.match(line, at) is not None


def read(nesting: Nesting, line: str) -> Reading:
    """Read the next line, without its newline."""
    fence = nesting.fence
    if fence is not None:
        if line.lstrip(" ").startswith(">") or not fence.quotes:
            after = fence_after(fence, line)
            levels = _levels(line, fence)
            return Reading(nesting._replace(fence=after), len(nesting.stack), levels, is_code=True)
        nesting = nesting._replace(fence=None)
    return _Reader(nesting, line).read()


def _levels(line: str, fence: Fence) -> tuple[int, ...]:
    """The levels of a line of code."""
    levels = [0]
    for _ in range(fence.quotes):
        at = blanks(line, levels[-1])[0]
        if not line.startswith(">", at):
            break
        levels.append(at + 1 + line.startswith(" ", at + 1))
    return tuple(levels)


class _Reader:
    """Reads one line outside of code."""

    def __init__(self, nesting: Nesting, line: str) -> None:
        self._nesting = nesting
        self._line = line
        self._levels = [0]
        self._at, self._column = blanks(line, 0)
        self._inner = 0  # the column of the container that the line is in so far
        self._marker: Marker | None = None

    def read(self) -> Reading:
        before = self._nesting
        kept = self._keep(before.stack)
        stack = list(before.stack[:kept])
        if self._at == len(self._line):
            return self._reading(Nesting(tuple(stack)), kept)
        is_deep = self._column - self._inner >= _CODE
        may_go_on = before.has_words and (is_deep or not self._begins_block(stack, kept))
        if may_go_on:  # the paragraph, whatever it stands in
            return self._reading(before, len(before.stack))._replace(goes_on=True)
        self._open(stack, before.stack[kept : kept + 1])
        return self._reading(self._after(stack), kept)

    def _reading(self, nesting: Nesting, kept: int) -> Reading:
        is_rule = _is_rule(self._line, self._at)
        return Reading(nesting, kept, tuple(self._levels), self._marker, is_rule)

    def _keep(self, stack: tuple[Item | None, ...]) -> int:
        """How many of the open containers the line goes on in."""
        for number, container in enumerate(stack):
            if container is None:
                if not self._enter_quote():
                    return number
            elif self._at < len(self._line) and self._column < container.column:
                return number
            else:
                self._inner = container.column
        return len(stack)

    def _enter_quote(self) -> bool:
        line, at = self._line, self._at
        if self._column - self._inner >= _CODE or not line.startswith(">", at):
            return False
        self._levels.append(at + 1 + line.startswith(" ", at + 1))
        self._at, self._column = blanks(line, self._levels[-1])
        self._inner = 0
        return True

    def _begins_block(self, stack: list[Item | None], kept: int) -> bool:
        """Whether the line ends the paragraph before it."""
        line, at = self._line, self._at
        if line.startswith(">", at) or _HEADING.match(line, at) or _is_rule(line, at):
            return True
        if fence_in(line) is not None:
            return True
        found = _MARKER.match(line, at)
        if found is None:
            return False
        is_inside = kept == len(self._nesting.stack)  # then it would have to interrupt it
        return not is_inside or (found.end() < len(line) and found["number"] in (None, "1"))

    def _open(self, stack: list[Item | None], ended: tuple[Item | None, ...]) -> None:
        """Open the containers that begin in the line; `ended` may be the item before the first."""
        line, is_quoted = self._line, False
        while self._column - self._inner < _CODE and self._at < len(line):
            if len(stack) >= DEEPEST:
                return
            if self._enter_quote():
                stack.append(None)
                is_quoted = True
                continue
            found = None if _is_rule(line, self._at) else _MARKER.match(line, self._at)
            if found is None:
                return
            marker = self._item(found, () if is_quoted or self._marker else ended)
            if not is_quoted and self._marker is None:
                self._marker = marker
            stack.append(marker.item)

    def _item(self, found: re.Match[str], ended: tuple[Item | None, ...]) -> Marker:
        start, end = found.start(), found.start("gap")
        column, width = self._column, end - start
        self._at, self._column = blanks(self._line, end, column + width)
        gap = self._column - column - width
        is_code = gap > _CODE or self._at == len(self._line)
        self._inner = column + width + (1 if is_code else gap)
        sign = self._line[end - 1]
        before = ended[0] if ended else None
        number = written = int(found["number"] or 0)
        is_free = False
        if before is not None and before.sign == sign and found["number"]:
            is_inner = written == 1 and column > before.margin + 1
            is_free = before.is_free or is_inner or written not in (0, 1, before.written + 1)
            number = written if is_free else before.number + 1
        item = Item(self._inner, sign, number, written, is_free, column)
        digits = len(found["number"] or "")
        return Marker(column, start, start + digits, item)

    def _after(self, stack: list[Item | None]) -> Nesting:
        fence = fence_in(self._line)
        if fence is not None:
            return Nesting(tuple(stack), fence)
        line, at = self._line, self._at
        is_code = self._column - self._inner >= _CODE
        is_other = is_code or _HEADING.match(line, at) or _is_rule(line, at)
        return Nesting(tuple(stack), None, at < len(line) and not is_other)
