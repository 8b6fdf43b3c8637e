"""What may be shown of a Markdown text that is still being written.

A preview is a beginning of the text, so that platforms which only append can show it. What would
look broken now and right a moment later is held back: half a link, the first of two asterisks, a
table without its rule. It is little, so that the answer is always seen to grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.core.delivery.markdown import (
    BOLD,
    FACE,
    ITALIC,
    ITEM,
    MARKER,
    Line,
    LineKind,
    lines,
    spans,
)

HOLD = 400
"""Characters that are held back at most."""

_MARKER_ALONE = re.compile(
    r"[ \t]*+(?:>[ \t]*+)*+"
    r"(?:#{1,6}|(?:[-*_=+][-*_= \t]*+|\d{1,9}[.)][ \t]++)?+(?:\d{1,9}[.)]?)?+)"
    r"[ \t]*+(?:\[[ xX]?\]?)?+[ \t]*+"
)
_NOTE_BEGUN = re.compile(
    r"[ \t]*(?:\[\^[^\]\n]*(?:\](?::[ \t]*)?)?|\[[^\]^\n][^\]\n]*\]:.*)"
    r"|[ ]{0,3}>[ ]?\[!?[A-Z]{0,9}\]?[ \t]*"
)
"""The name of a footnote, or the address that a name stands for, which will not be seen; the name
of an alert, which is a heading only where nothing follows."""
_RULE_BEGUN = re.compile(r"[|:\- \t]*")
_PIPE = re.compile(
    r"[^\n]*(?<=[ ])\|(?:[ ]|$)"  # between blanks
    r"|[^|\s()][^|()\n]{0,40}(?:\|(?:[^|\s()][^|()\n]{0,40})?)+$"  # without any
)
"""The beginning of a table's head that does not begin with a pipe."""
_FIRST_WORD = re.compile(r"[^\W\d_]{1,20}[ ]?")
"""The first word of a paragraph: it may be that of a table's head."""
_NEW_BLOCK = re.compile(r"[ \t]*(?:[-*+#>]|\d{1,9}[.)])")
_MARKER = re.compile(r"[\\`*_~\[<&!]")
"""What every match of `_OPENED` has in it."""
_OPENED = re.compile(
    r"\\(?:[^\n]|\n(?!\Z))"  # escaped: no marker, and skipped
    r"|(?P<opened>"
    r"`+"
    rf"|{BOLD}|__(?=\S)|~~(?=\S)|{ITALIC}|(?<![\w_])(?!{FACE})_(?=[^\s_])"
    r"|!?\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*"  # a link, at any point before its end
    r"(?:\[[^\[\]\n]*|\](?:\[[^\[\]\n]*\]?"
    r"|\((?:[^()\s]|\([^()\s]*\))*(?:\([^()\s]*|[ ](?:\"[^\"\n]*\"?)?)?)?)?\Z"
    r"|(?<!\S)!\Z|\*(?:[./]\*|/\s?)\Z"
    r"|<(?:[a-zA-Z/!][^<>\n]*)?\Z|&#?\w{0,31}\Z|[*_~]+\Z|_<\Z|\)_/\Z|\\\n?\Z"
    r")"
)
_LOOSE = re.compile(
    rf"(?P<begin>[ \t>]*(?:\#{{1,6}}[ ]+)?{ITEM.pattern}*(?:\[[ xX]\][ ]+)?)"
    r"(?:(?P<marks>[*_~`]+)|!?\[(?P<words>[^\[\]\n]+)\]\([^()\n]*\Z)"
)
"""A mark that is open, or the beginning of a link; what a line begins with stands before it."""
_WORDS = frozenset({LineKind.TEXT, LineKind.HEADING, LineKind.TABLE_ROW})
NESTED = 4
"""Marks in each other that are looked for at the end of a text that was cut off."""


def settle(text: str) -> str:
    """The beginning of the text that will look the same when more has been written."""
    if text[-1:] in (" ", "\t") and (shorter := text.rstrip(" \t")).endswith("\n"):
        text = shorter  # nothing of the last line is there yet
    known = list(lines(text))
    if not known:
        return ""
    at = _held_lines(text, known)
    if at is None and known[-1].kind in (LineKind.TEXT, LineKind.HEADING):
        at = _held_words(text, known)
    if at is None or len(text) - at > HOLD:
        at = len(text)
    return text[:at].rstrip()


def without_open_marks(text: str) -> str:
    """The text of an answer that was cut off, without marks near its end that nothing closes.

    Of a link that is not whole there are its words.
    """
    for _ in range(NESTED):
        known = list(lines(text))
        at = _held_words(text, known) if known and known[-1].kind in _WORDS else None
        mark = _LOOSE.match(text, at) if at is not None and len(text) - at <= HOLD else None
        if mark is None or (mark["marks"] and mark["marks"] in text[mark.end() :]):
            break
        text = text[: mark.end("begin")] + (mark["words"] or "") + text[mark.end() :]
    return text


def _held_lines(text: str, known: list[Line]) -> int | None:
    """Where the lines begin whose kind is not certain yet."""
    last, before = known[-1], known[-2] if len(known) > 1 else None
    words, is_whole = text[last.start : last.end], text.endswith("\n")
    match last.kind:
        case LineKind.FENCE if last.fence is None:
            return last.start  # an empty code block is nothing to look at
        case LineKind.CODE if last.fence is not None:
            marks = words.lstrip(" >" if last.fence.quotes else " ").strip()
            if not marks and before and before.kind is LineKind.FENCE:
                return before.start
            is_closing = not is_whole and marks == marks[:1] * len(marks)
            return last.start if is_closing and last.fence.marks.startswith(marks[:1]) else None
        case LineKind.TABLE_RULE:
            return None if is_whole else last.table
        case LineKind.TABLE_ROW:
            return None if is_whole else last.start
        case LineKind.TEXT | LineKind.HEADING:
            begin = MARKER.match(text, last.start)
            inner = text[begin.end() if begin else last.start : last.end].rstrip("\n")
            if before and _may_be_table(text, before) and _RULE_BEGUN.fullmatch(inner):
                return before.start
            if inner.startswith("|") or ("|" in inner and _may_be_head(inner)):
                return last.start
            if before and before.kind is LineKind.BLANK and _FIRST_WORD.fullmatch(words):
                return last.start
            is_begun = _MARKER_ALONE.fullmatch(words) or _NOTE_BEGUN.fullmatch(words)
            return last.start if not is_whole and is_begun else None
        case _:
            return None


def _may_be_head(inner: str) -> bool:
    """Whether a rule that follows would make a table's head of a line, with pipes out of code."""
    found = _PIPE.match(inner) if len(inner) <= HOLD else None
    held = spans(inner, 0, len(inner)) if found else ()
    pipes = [at for at, sign in enumerate(inner) if sign == "|"]
    return bool(found) and not all(any(a < at < b for a, b in held) for at in pipes)


def _may_be_table(text: str, line: Line) -> bool:
    return line.kind is LineKind.TEXT and "|" in text[line.start : line.end]


def _held_words(text: str, known: list[Line]) -> int | None:
    """Where the last paragraph has a marker that is not closed yet."""
    first = len(known) - 1
    while (
        first > 0
        and known[first - 1].kind is LineKind.TEXT
        and not _NEW_BLOCK.match(text, known[first].start)
    ):
        first -= 1
    at = known[first].start
    if not _MARKER.search(text, at):  # so it is with most words; to look closer takes long
        return None
    whole = [span for span in _spans(text, at) if not _is_uncertain(text, *span)]
    for start, end in (*whole, (len(text), len(text))):
        if len(text) - start >= HOLD:  # nothing before it is held back
            at = end
            continue
        for found in _OPENED.finditer(text, at):
            if found.start() >= start:
                break
            if found["opened"] and len(text) - found.start() <= HOLD:
                line = text.rfind("\n", 0, found.start()) + 1
                is_first = _MARKER_ALONE.fullmatch(text, line, found.start())
                return line if is_first else found.start()
        at = end
    return None


def _spans(text: str, at: int) -> Iterator[tuple[int, int]]:
    """What has begun and ended; three asterisks are ended by three."""
    for start, end in spans(text, at, len(text)):
        yield start, end + (text.startswith("***", start) and text.startswith("*", end))


def _is_uncertain(text: str, start: int, end: int) -> bool:
    """Whether the mark that seems to close a span may stand in code, an address, or before a price.

    Or another one follows, as three opened it.
    """
    if text[start] in "*_~" and text.count("`", start, end) % 2:
        return True
    if end < len(text):
        return False
    if text.startswith("***", start) and not text.endswith("***"):
        return True
    address = text.rfind("](", start, end) if text[end - 1] in "_*~" else -1
    return text[end - 1] == "$" or (address >= 0 and ")" not in text[address:end])
