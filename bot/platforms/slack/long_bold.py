"""Bold that goes on for long, in pieces that look like one.

Of a stream Slack can show nothing otherwise than it is written: there would be two asterisks until
the last word of the bold ones is there. Pure functions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.core.delivery.emphasis import GAP
from bot.core.delivery.markdown import BOLD, open_fence, spans

LONG = 300
"""Characters of a piece, up to the next good place for an end."""
REACH = 300
"""Characters in which such a place is looked for."""
_MARK = "**"
SEAM = len(f"{_MARK}{GAP}{_MARK}".encode())
"""Bytes between two pieces."""
_OPENING = re.compile(rf"(?<!\*){BOLD}(?!\*)")
_LONG = re.compile(rf"\*\*(?=\S)[^\n]{{{LONG}}}")
_OPENED = re.compile(r"(?<![\w_])_(?=\w)")
_CLOSED = re.compile(r"(?<=\w)_(?![\w_])")


def in_pieces(text: str) -> str:
    """A text without fenced code, with long bold in pieces."""
    return _by_lines(text) if _LONG.search(text) else text


def most_seams(text: str) -> int:
    """How many seams `in_pieces` puts into a text at most."""
    return len(text) // LONG if _LONG.search(text) else 0


def closed(text: str) -> str:
    """A growing text; where long bold is open at its end, up to the last piece, which is closed."""
    line = text.rfind("\n") + 1
    start = _open_bold(text, line) if _LONG.search(text, line) else None
    if start is None or open_fence(text) is not None:
        return text
    seams = list(_seams(text[start:]))
    return text[: start + seams[-1]] + _MARK if seams else text


def _open_bold(text: str, line: int) -> int | None:
    """Where the words begin that are bold and have no end yet."""
    for start, end in (*spans(text, line, len(text)), (len(text), len(text))):
        found = _OPENING.search(text, line)
        if found is None or found.start() < start:
            return found.end() if found else None
        line = end
    return None


def _by_lines(text: str) -> str:
    return "\n".join(_parted(line) if _LONG.search(line) else line for line in text.split("\n"))


def _parted(line: str) -> str:
    pieces: list[str] = []
    at = 0
    for start, end in spans(line, 0, len(line)):
        if end - start <= LONG or not _OPENING.match(line, start):
            continue
        for seam in _seams(line[start + len(_MARK) : end - len(_MARK)]):
            place = start + len(_MARK) + seam
            gap = "" if line[place] == " " else GAP
            pieces += [line[at:place], _MARK, gap or " ", _MARK]
            at = place + (not gap)
    return "".join([*pieces, line[at:]])


def _seams(words: str) -> Iterator[int]:
    """Where the pieces end, before the last; the words that follow later change none of them."""
    at: int | None = 0
    while at is not None and (at := _seam(words, at)) is not None:
        yield at


def _seam(words: str, at: int) -> int | None:
    for place in range(at + LONG, min(len(words) - 1, at + LONG + REACH)):
        before, here, after = words[place - 1], words[place], words[place + 1]
        is_between_words = here == " " and after.isalnum()
        is_wide = here.isalnum() and not here.isascii() and not before.isascii()
        if before.isalnum() and (is_between_words or is_wide) and _is_whole(words[at:place]):
            return place
    return None


def _is_whole(piece: str) -> bool:
    """Whether nothing begins in it that ends after it."""
    return (
        piece.count("`") % 2 == 0
        and piece.count("*") % 2 == 0
        and piece.count("~") % 2 == 0
        and piece.count("[") == piece.count("]")
        and piece.count("<") == piece.count(">")
        and len(_OPENED.findall(piece)) == len(_CLOSED.findall(piece))
    )
