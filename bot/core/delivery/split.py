"""Cut a growing Markdown text into pages. Pure functions; no clock, no I/O.

A page ends, best first, after a paragraph, a line, a row or a line of code, a sentence, a word;
never inside a link, an inline code span, the head of a table, or a character. A code fence that the
cut leaves open is closed on the page and opened on the next; a table's head is repeated there.

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
from bot.core.delivery.markdown import MARKER, Line, LineKind, closed, lines, open_fence, spans

Measure = Callable[[str], int]

PROBES = 12
"""Calls of `measure` at most, to find out how far a page reaches."""
LOOK_AHEAD = 2_000
"""Characters after a page in which the end of a link is looked for."""
CARRY_SHARE = 3
"""A fence or a table's head is carried over only up to this part of a page."""

_SENTENCE = re.compile(r"[.!?…][\"'”’)\]*_]*(?=\s)|[。！？；…][”’」』）)]*")
_DEEP_CODE = re.compile(r"(?:[ \t]*\n)*(?:[ ]{4}|[ ]{0,3}\t)[ \t]*(?:[`~]|\Z)")
"""Code in a list, or what is going to be. On a page of its own it would lose the list and its
indentation, and nothing would close it."""
_WORD = re.compile(r"\s+|[，、：；。！？」』）]")


class Rank(IntEnum):
    """How good a place for a cut is."""

    WORD = auto()
    SENTENCE = auto()
    ROW = auto()  # of a table, or a line of code
    LINE = auto()
    PARAGRAPH = auto()


FLOORS = {
    Rank.PARAGRAPH: 0.5,
    Rank.LINE: 0.6,
    Rank.ROW: 0.6,
    Rank.SENTENCE: 0.6,
    Rank.WORD: 0.25,
}
"""A cut of this rank is taken when the page is then at least this full."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its text, how many characters of the input it takes, and what it hands on.

    The next page is cut from `carry + input[used:]`.
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


def pages(text: str, limit: int, measure: Measure = len) -> Iterator[str]:
    """All pages of a whole text; none of them is blank."""
    carry = ""
    while text.strip():
        page = take_page(carry + text, limit, measure, least=len(carry) + bool(carry))
        text, carry = text[page.used - len(carry) :], page.carry
        if page.text.strip():
            yield page.text


def best_cut(text: str, least: int, reach: int) -> int | None:
    """The best place to end a page, not before `least` and not after `reach`; None without one."""
    known = list(lines(text[: _line_end(text, reach)]))
    found: dict[Rank, int] = {}
    for rank, at in (*_line_cuts(text, known), *_inline_cuts(text, known, least, reach)):
        if least <= at <= reach and not _is_before_deep_code(text, at):
            found[rank] = max(at, found.get(rank, 0))
    for rank in sorted(found, reverse=True):
        if found[rank] >= FLOORS[rank] * reach:
            return found[rank]
    return None


def _is_before_deep_code(text: str, at: int) -> bool:
    line = text.rfind("\n", 0, at) + 1
    return _DEEP_CODE.match(text, at if text[line:at].strip() else line) is not None


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
            inner = text[line.start] in " \t"  # a list goes on
            yield (Rank.PARAGRAPH if after_gap and not inner else Rank.LINE), line.start


def _inline_cuts(
    text: str, known: list[Line], least: int, reach: int
) -> Iterator[tuple[Rank, int]]:
    """The ends of sentences and words at which a page may end."""
    for line in known:
        if line.end <= least or line.start > reach or line.kind is LineKind.TABLE_HEAD:
            continue
        is_words = line.kind in (LineKind.TEXT, LineKind.HEADING)
        held = spans(text, line.start, line.end) if is_words else []
        marker = MARKER.match(text, line.start, line.end)
        begin = marker.end() if marker and is_words else line.start
        if is_words:
            for at in _ends(_SENTENCE, text, begin, min(line.end, reach), held):
                yield Rank.SENTENCE, at
        for at in _ends(_WORD, text, begin, min(line.end, reach), held):
            yield Rank.WORD, at


def _ends(
    pattern: re.Pattern[str], text: str, start: int, end: int, held: list[tuple[int, int]]
) -> Iterator[int]:
    for found in pattern.finditer(text, start, end):
        at = found.end()
        if at > start and is_boundary(text, at) and not any(a < at < b for a, b in held):
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
    used = cut + len(text) - cut - len(text[cut:].lstrip())
    return Page(text=page, used=used, carry=carry if len(carry) <= limit // CARRY_SHARE else "")


def _table_head(text: str, cut: int) -> str:
    """The head of the table that goes on after the cut."""
    for line in lines(text[: _line_end(text, cut)]):
        if line.start <= cut < line.end:
            return text[line.table : line.head] if line.kind is LineKind.TABLE_ROW else ""
    return ""
