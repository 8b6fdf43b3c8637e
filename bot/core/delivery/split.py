"""Cut a growing Markdown text into pages. Pure functions; no clock, no I/O.

A page ends, best first, after a paragraph, an item of a list, a line, a row or a line of code, a
sentence, a word; never inside a link, an inline code span, the head of a table, or a character. A
code fence that the cut leaves open is closed on the page and opened on the next; a table's head is
repeated there, and the rest of a list moves to the margin (`Place`).

Sizes are what the platform's `measure` says of the rendered page. A call may cost a millisecond, so
a page takes a handful of them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum, auto

from bot.core.delivery.graphemes import boundary_after, boundary_before, is_boundary
from bot.core.delivery.markdown import (
    ITEM,
    MARKER,
    Line,
    LineKind,
    closed,
    lines,
    open_fence,
    spans,
)
from bot.core.delivery.place import Place

Measure = Callable[[str], int]

PROBES = 12
"""Calls of `measure` at most, to find out how far a page reaches."""
LOOK_AHEAD = 2_000
"""Characters after a page in which the end of a link is looked for."""
CARRY_SHARE = 3
"""A fence or a table's head is carried over only up to this part of a page."""

_LIKE_MARKER = r"[ \t]*(?:(?:[-+*]|\#{1,6}|\d{1,9}[.)])(?:\s|$)|>|`{3}|~{3})"
"""Words that would be a list, a heading, a quote or code if a page began with them."""
_SENTENCE = re.compile(rf"(?:[.!?…][\"'”’)\]*_]*(?=\s)|[。！？；…][”’」』）)]*)(?!{_LIKE_MARKER})")
_WORD = re.compile(rf"(?:\s++|[，、：；。！？」』）])(?!\s|{_LIKE_MARKER})")


_WHOLE = frozenset({LineKind.TABLE_HEAD, LineKind.TABLE_RULE})
"""Lines in which no page ends."""
_INDENTATION = re.compile(r"[ \t]*")
_INDENTED = re.compile(rf"^((?:[ ]{{0,3}}>[ ]?)*)[ \t]*{ITEM.pattern}*", re.MULTILINE)


class Rank(IntEnum):
    """How good a place for a cut is."""

    WORD = auto()
    SENTENCE = auto()
    ROW = auto()  # of a table, or a line of code
    LINE = auto()
    INNER = auto()  # a line of a list that is in no more others than those around
    ITEM = auto()  # of a list that is in no other
    PARAGRAPH = auto()


FLOORS = {
    Rank.PARAGRAPH: 0.5,
    Rank.ITEM: 0.75,
    Rank.INNER: 0.75,
    Rank.LINE: 0.6,
    Rank.ROW: 0.6,
    Rank.SENTENCE: 0.6,
    Rank.WORD: 0.25,
}
"""A cut of this rank is taken when the page is then at least this full."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its text, how many characters of the input it takes, and what it hands on.

    The next page begins with `carry`, and goes on with what is left: see `Place`.
    """

    text: str
    used: int
    carry: str = ""


def take_page(text: str, limit: int, measure: Measure = len, *, least: int = 0) -> Page:
    """Cut off the first page of at most `limit`.

    The page begins with `text[:least]`: what the reader has already seen.
    """
    least = min(least, len(text))
    reach = _reach(text, limit, measure, least)
    if reach >= len(text):
        return Page(text=text, used=len(text))
    while True:
        cut = best_cut(text, max(least, 1), reach) or _hard_cut(text, least, reach)
        page = _page(text, cut, least, limit)
        shorter = cut - 1 - (cut - least) // 4
        if measure(page.text) <= limit or shorter <= least:
            return page
        reach = shorter  # a page that ends earlier can measure more, and none may have fitted


def pages(
    text: str, limit: int, measure: Measure = len, *, around: str | None = None
) -> Iterator[str]:
    """All pages of a whole text; none of them is blank. `around` is as in `Capabilities`."""
    place = Place(around=around)
    while text[place.start :].strip():
        body = place.body(text)
        page = take_page(body, limit, measure, least=place.least(text))
        if page.text.strip():
            yield page.text
        if page.used == len(body):
            return
        place = place.after(text, page.used, page.carry)


def best_cut(text: str, least: int, reach: int) -> int | None:
    """The best place to end a page, not before `least` and not after `reach`; None without one."""
    known = list(lines(text[: _line_end(text, reach)]))
    found: dict[Rank, int] = {}
    inner: list[int] = []
    for rank, at in (*_line_cuts(text, known), *_inline_cuts(text, known, least, reach)):
        if least <= at <= reach:
            found[rank] = max(at, found.get(rank, 0))
            if rank is Rank.LINE and text[at] in " \t" and at >= FLOORS[Rank.INNER] * reach:
                inner.append(at)
    if inner:
        found[Rank.INNER] = min(inner, key=lambda at: (_indentation(text, at), -at))
    for rank in sorted(found, reverse=True):
        if found[rank] >= FLOORS[rank] * reach:
            return found[rank]
    return None


def _indentation(text: str, at: int) -> int:
    """The column at which the words of a line begin."""
    found = _INDENTATION.match(text, at)
    return len(found[0].expandtabs(4)) if found else 0


def _reach(text: str, limit: int, measure: Measure, least: int) -> int:
    """How much of the text fits on a page: `len(text)`, or nearly the most that does."""
    fits, size_fits = least, 0
    over, size_over = len(text) + 1, 0
    guess = min(len(text), max(least + 1, limit))
    for probe in range(PROBES):
        size = measure(closed(text[:guess]))
        if size <= limit:
            fits, size_fits = guess, size
            if guess == len(text) or limit - size <= limit // 64:
                break
        else:
            over, size_over = guess, size
        if over - fits <= 1 + limit // 64:
            break
        if not size_over:
            guess = min(len(text), fits * 2, fits + 1 + (limit - size) * fits // max(1, size))
        elif probe % 3 == 2 or size_over <= size_fits:
            guess = (fits + over) // 2
        else:
            share = (limit - size_fits) / (size_over - size_fits)
            guess = fits + int((over - fits) * share)
        guess = min(over - 1, max(fits + 1, guess))
    return fits


def _line_end(text: str, at: int) -> int:
    """The end of the line in which `at` lies, or where it is no use to look further."""
    end = min(len(text), at + LOOK_AHEAD)
    return text.find("\n", at, end) + 1 or end


def _line_cuts(text: str, known: list[Line]) -> Iterator[tuple[Rank, int]]:
    """The beginnings of lines at which a page may end."""
    follows_heading = False
    for before, line in itertools.pairwise(known):
        if before.kind is not LineKind.BLANK:
            follows_heading = before.kind is LineKind.HEADING
        if line.kind is LineKind.BLANK and line.fence is None:
            continue
        if line.fence is not None:
            if line.kind is LineKind.CODE and before.kind is not LineKind.FENCE:
                yield Rank.ROW, line.start
        elif line.kind is LineKind.TABLE_ROW:
            if before.kind is not LineKind.TABLE_RULE:
                yield Rank.ROW, line.start
        elif line.kind is not LineKind.TABLE_RULE and not follows_heading:
            after_gap = before.kind in (LineKind.BLANK, LineKind.FENCE)
            if text[line.start] in " \t":  # a list goes on
                yield Rank.LINE, line.start
            elif after_gap:
                yield Rank.PARAGRAPH, line.start
            else:
                yield (Rank.ITEM if ITEM.match(text, line.start) else Rank.LINE), line.start


def _inline_cuts(
    text: str, known: list[Line], least: int, reach: int
) -> Iterator[tuple[Rank, int]]:
    """The ends of sentences and words at which a page may end."""
    for line in known:
        if line.end <= least or line.start > reach or line.kind in _WHOLE:
            continue
        is_words = line.kind in (LineKind.TEXT, LineKind.HEADING)
        has_spans = is_words or line.kind is LineKind.TABLE_ROW
        held = spans(text, line.start, line.end) if has_spans else []
        marker = MARKER.match(text, line.start, line.end)
        words = (marker.end() if marker and is_words else line.start, line.end)
        if is_words:
            for at in _ends(_SENTENCE, text, words, held, reach):
                yield Rank.SENTENCE, at
        for at in _ends(_WORD, text, words, held, reach):
            yield Rank.WORD, at


def _ends(
    pattern: re.Pattern[str],
    text: str,
    place: tuple[int, int],
    held: list[tuple[int, int]],
    reach: int,
) -> Iterator[int]:
    """The ends of what the pattern finds in a place, up to `reach`; not inside of what is held."""
    number = 0
    for found in pattern.finditer(text, *place):
        at = found.end()
        if at > reach:
            return
        while number < len(held) and held[number][1] <= at:
            number += 1
        is_held = number < len(held) and held[number][0] < at
        if at > place[0] and not is_held and is_boundary(text, at):
            yield at


def _hard_cut(text: str, least: int, reach: int) -> int:
    """A cut where there is no good one: in a word, but not in a link or a character."""
    line = text.rfind("\n", 0, reach) + 1
    for start, end in spans(text, line, _line_end(text, reach)):
        if max(least, 1) <= start < reach < end and end - start <= reach:
            return start
    at = boundary_before(text, reach)
    return at if at > least else boundary_after(text, max(least, 1))


def _page(text: str, cut: int, least: int, limit: int) -> Page:
    """The page that ends at `cut`, closed, and what the next one begins with."""
    fence = open_fence(text[:cut])
    if fence is not None:
        carry = fence.opening + "\n"
        if len(carry) > limit // CARRY_SHARE:
            carry = replace(fence, info="").opening + "\n"
        carry += "" if text.endswith("\n", 0, cut) else fence.quote
        return Page(text=closed(text[:cut]), used=cut, carry=carry)
    page = text[:least] + text[least:cut].rstrip()
    carry = _table_head(text, cut)
    carry = carry if len(carry) <= limit // CARRY_SHARE else ""
    return Page(text=page, used=_next_start(text, cut), carry=carry)


def _next_start(text: str, cut: int) -> int:
    """Where the next page begins: after blanks and blank lines, but with its indentation."""
    words = len(text) - len(text[cut:].lstrip())
    line = text.rfind("\n", 0, words) + 1
    return line if line >= cut else words


def _table_head(text: str, cut: int) -> str:
    """The head of the table that goes on after the cut, out of the item in which it may stand."""
    for line in lines(text[: _line_end(text, cut)]):
        if line.start <= cut < line.end:
            head = text[line.table : line.head] if line.kind is LineKind.TABLE_ROW else ""
            return _INDENTED.sub(r"\1", head)
    return ""
