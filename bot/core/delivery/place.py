"""Where in a text a page begins, and what is to be read there.

A page that begins inside a list is without the list around it: its lines would be code, or words
with a raw `-` before them. So they move to the left as far as the list was indented, until it ends.
Where a platform draws it so (`Capabilities.around`), a page that begins with an item in a list has
the signs of the items around it instead, each in a line of its own, and all stays at its depth.
Pure functions; prefixes of a text have prefixes of its pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from bot.core.delivery.nesting import (
    NOTHING_OPEN,
    Item,
    Marker,
    Nesting,
    Reading,
    blanks,
    read,
    widths,
)


class _Piece(NamedTuple):
    """A stretch of a page, and where the stretch of the text ends that it stands for."""

    words: str
    end: int


@dataclass(frozen=True, slots=True)
class Place:
    """The beginning of a page in a text.

    `carry` stands before what the text has from `start` on; `nesting` is what is open there, and
    `in_line` says that a line was begun on the page before. `around` is the platform's.
    """

    start: int = 0
    carry: str = ""
    nesting: Nesting = NOTHING_OPEN
    in_line: bool = False
    around: str | None = None

    def body(self, text: str) -> str:
        """The text of this page and of all that come after it."""
        return self.carry + "".join(piece.words for piece in self._pieces(text))

    def least(self, text: str) -> int:
        """How much of the body a page has at least: more than what is not from the text."""
        added = len(self.carry) + len(self._parents(text))
        return added + bool(added)

    def after(self, text: str, used: int, carry: str) -> Place:
        """The beginning of the next page, when this one took so much of the body.

        The next one begins with `carry`.
        """
        end = self._end(text, used - len(self.carry))
        nesting = self._nesting_at(text, end)
        in_line = end > 0 and text[end - 1] != "\n"
        if in_line and nesting.fence is None:
            nesting = nesting._replace(has_words=True)
            carry += "> " * nesting.quotes
        return Place(end, carry, nesting, in_line, self.around)

    def moved(self, text: str, end: int) -> Place:
        """The same page, which begins only after blank lines."""
        if end <= self.start:
            return self
        return Place(end, self.carry, self._nesting_at(text, end), around=self.around)

    def _end(self, text: str, length: int) -> int:
        """Where the stretch of the text ends that the first characters of the body stand for."""
        end = self.start
        for piece in self._pieces(text):
            if length < len(piece.words):
                return piece.end - len(piece.words) + length if length else end
            length -= len(piece.words)
            end = piece.end
        return end

    def _nesting_at(self, text: str, end: int) -> Nesting:
        nesting, start = self.nesting, self.start
        if self.in_line:
            start = text.find("\n", start, end) + 1 or end
        while start < end:
            stop = text.find("\n", start, end)
            stop = end if stop < 0 else stop
            nesting = read(nesting, text[start:stop]).nesting
            start = stop + 1
        return nesting

    def _parents(self, text: str) -> str:
        """The signs of the items around that with which the page begins."""
        is_plain = not (self.in_line or self.carry or self.nesting.fence or self.nesting.quotes)
        if self.around is None or not (is_plain and self.nesting.stack):
            return ""
        stop = text.find("\n", self.start)
        line = text[self.start : stop if stop >= 0 else len(text)]
        return _signs_around(self.nesting, line, self.around)

    def _pieces(self, text: str) -> Iterator[_Piece]:
        start = self.start
        parents = self._parents(text)
        if parents:
            yield _Piece(parents, start)
            yield _Piece(text[start:], len(text))
            return
        margins = _Margins(self.nesting)
        if self.in_line and margins.is_needed:
            stop = text.find("\n", start) + 1 or len(text)
            yield _Piece(text[start:stop], stop)
            margins.settle()
            start = stop
        while start < len(text) and margins.is_needed:
            stop = text.find("\n", start) + 1 or len(text)
            for words, end in margins.moved(text[start:stop]):
                yield _Piece(words, start + end)
            start = stop
        yield _Piece(text[start:], len(text))


_WORDS = re.compile(r"[^\s*_~\-+=#>\[\]`|]")
"""Of a line with such a character it is certain whether it begins an item."""


def _signs_around(nesting: Nesting, line: str, words: str) -> str:
    """Lines of items with these words in which the item of this line stands where it stood.

    A number other than 1 begins no list directly under words.
    """
    reading = read(nesting, line)
    marker = reading.marker
    if marker is None or not reading.kept or not _WORDS.search(line, marker.end):
        return ""
    if marker.end > marker.start and int(line[marker.start : marker.end]) != marker.item.number:
        return ""  # it needs another number
    signs, again = "", NOTHING_OPEN
    for item in filter(None, nesting.stack[: reading.kept]):
        gap = "\n" * bool(signs and words and item.number > 1)
        sign = (str(item.number) if item.sign in _OTHER else "") + item.sign
        sign = f"{' ' * (item.column - 1 - len(sign))}{sign} {words}".rstrip()
        signs, again = f"{signs}{gap}{sign}\n", read(_below(again, gap), sign).nesting
    gap = "\n" * bool(words and marker.item.number > 1)
    signs, again = signs + gap, _below(again, gap)
    is_same = read(again, line).nesting == reading.nesting
    return signs if is_same else ""


def _below(nesting: Nesting, gap: str) -> Nesting:
    return read(nesting, "").nesting if gap else nesting


_OTHER = {".": ")", ")": "."}
START = Place()
"""The beginning of the first page."""


class _Margins:
    """How far lines move to the left, one after the other."""

    def __init__(self, nesting: Nesting) -> None:
        self._nesting = nesting
        self._inherited = nesting.stack  # what is still open of it
        self._margin = nesting.fence.indent if nesting.fence else None
        self._growth = 0  # of the sign of an item that got another number
        self._sign = ""  # behind the number of the last item at the margin
        self._is_turned = False  # it is another one than in the text
        self._is_counted = False  # the number of that item is another one, too
        self._is_first = True
        self._is_bare = nesting.has_words  # a paragraph stands at the margin, out of its item

    @property
    def is_needed(self) -> bool:
        """Whether any line is still inside of what was open where the page begins."""
        is_moved = self._margin or self._growth or self._is_turned or self._is_counted
        return bool(is_moved) or any(self._inherited)

    def settle(self) -> None:
        """The first line is a part of one."""
        self._is_first = False
        if self._margin is None:
            self._margin = _columns(self._inherited)[-1]

    def moved(self, line: str) -> Iterator[_Piece]:
        """The line where it stands on its page; its pieces end where they do in the line."""
        words = line.rstrip("\n")
        reading = read(self._nesting, words)
        marker = None
        if words.strip(" \t>") and not reading.is_code:
            marker = self._follow(reading)
            is_mistaken = reading.is_rule or (marker and marker.item.number > 1)
            if self._is_bare and not self._is_first and is_mistaken:  # for words of the paragraph
                yield _Piece("> " * (len(reading.levels) - 1) + "\n", 0)
            self._is_first = False
        self._nesting = reading.nesting
        if not reading.goes_on:
            is_inside = reading.kept > len(self._inherited) or reading.marker is not None
            self._is_bare = reading.nesting.has_words and not is_inside
        yield from self._shifted(line, reading, marker)

    def _follow(self, reading: Reading) -> Marker | None:
        """Adapt the margin to a line that has words; the sign of an item that begins there."""
        if reading.kept > len(self._inherited):
            return None
        has_ended = reading.kept < len(self._inherited)
        before, self._inherited = self._inherited, self._inherited[: reading.kept]
        columns, marker = _columns(self._inherited), reading.marker
        column = marker.column if marker else columns[-1]
        margin, is_outer = self._margin, len(columns) < len(_columns(before))
        if margin is None or is_outer:
            self._margin = column
        elif has_ended or marker or not any(self._inherited):
            self._margin = min(margin, column)
            is_outer = self._margin < margin
        self._growth = 0
        self._is_counted = marker is not None and marker.item.number != marker.item.written
        self._turn(marker, is_outer=is_outer)
        return marker

    def _turn(self, marker: Marker | None, *, is_outer: bool) -> None:
        """Choose the sign behind a number: with another one, an outer list is a list of its own."""
        sign = marker.item.sign if marker and marker.end > marker.start else ""
        if is_outer or not sign:
            self._is_turned = bool(sign) and sign == self._sign
        self._sign = _OTHER[sign] if self._is_turned else sign

    def _shifted(self, line: str, reading: Reading, marker: Marker | None) -> Iterator[_Piece]:
        """The pieces of the line without its margins, and with the number its item shows."""
        columns = _columns(self._inherited)
        if self._margin is not None:
            columns[-1] = self._margin - self._growth
        at = 0
        for level, margin in zip(reading.levels, columns, strict=False):
            yield _Piece(line[at:level], level)
            at, column = level, 0
            for width in widths(line, at, blanks(line, at)[0]):
                if column >= margin:
                    break
                column += width
                at += 1
            if "\t" in line[level:at]:  # the tabs behind it would stand elsewhere
                at, column = blanks(line, at, column)
            if column > margin and line[at:].strip():
                yield _Piece(" " * (column - margin), at)
        if marker and self._sign:
            number = str(marker.item.number)
            self._growth = len(number) - (marker.end - marker.start)
            yield _Piece(line[at : marker.start] + number + self._sign, marker.end + 1)
            at = marker.end + 1
        yield _Piece(line[at:], len(line))


def _columns(stack: tuple[Item | None, ...]) -> list[int]:
    """How far what stands in all of them is indented: before the first quote, and behind each."""
    columns = [0]
    for container in stack:
        if container is None:
            columns.append(0)
        else:
            columns[-1] = container.column
    return columns
