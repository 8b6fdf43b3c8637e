"""Emphasis as it is written in languages without blanks between words.

    **注意：**后面

is not bold to CommonMark, since a mark after punctuation closes only before a blank. Models write
that all the time in Chinese, Japanese and Korean, and people would read asterisks. Such stretches
become the HTML that means the same.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from bot.core.delivery.markdown import Line, LineKind, lines, spans

_TAGS = {
    "*": ("<i>", "</i>"),
    "**": ("<b>", "</b>"),
    "__": ("<b>", "</b>"),
    "~~": ("<s>", "</s>"),
    "***": ("<b><i>", "</i></b>"),
}
_SUSPECT = re.compile(r"\w(?:\*{1,3}|__|~~)[^\w\s*]|[^\w\s*](?:\*{1,3}|__|~~)\w")
_ODD = re.compile(r"(?<![*\\])(\*{3}|\*)(?=[^\s*])[^*\n]+?(?<![\s*\\])\1(?!\*)")
_WORDS = frozenset({LineKind.TEXT, LineKind.HEADING, LineKind.TABLE_HEAD, LineKind.TABLE_ROW})
_ENDS = ":.!?"
"""Behind these a word may follow without a blank by mistake."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What stands between two marks of emphasis, which are part of it."""

    start: int
    end: int
    mark: str


def separated(markdown: str) -> str:
    """The text with emphasis that CommonMark would not see as HTML."""
    if _SUSPECT.search(markdown) is None:
        return markdown
    pieces: list[str] = []
    at = 0
    for line in lines(markdown):
        if line.kind not in _WORDS:
            continue
        for found in _stretches(markdown, line):
            if found.start >= at and _is_missed(markdown, found):
                size, (opening, closing) = len(found.mark), _TAGS[found.mark]
                inner = separated(markdown[found.start + size : found.end - size])
                pieces += [markdown[at : found.start], opening, inner, closing]
                at = found.end
    pieces.append(markdown[at:])
    return "".join(pieces)


def _stretches(text: str, line: Line) -> list[_Stretch]:
    """What is meant to be emphasised in a line, the outer before the inner."""
    held = spans(text, line.start, line.end)
    found = [_Stretch(a, b, text[a : a + 2]) for a, b in held if text[a : a + 2] in _TAGS]
    others = [(a, b) for a, b in held if text[a] not in "*_~"]  # code, links, formulas
    for odd in _ODD.finditer(text, line.start, line.end):
        start, end = odd.span()
        if not any(a <= start < b or a < end <= b for a, b in others):
            found.append(_Stretch(start, end, odd[1]))
    return sorted(found, key=lambda stretch: (stretch.start, -stretch.end))


def _is_missed(text: str, found: _Stretch) -> bool:
    """Whether one of the marks stands between punctuation inside and a letter outside."""
    size = len(found.mark)
    before, first = text[max(0, found.start - 1) : found.start], text[found.start + size]
    last, after = text[found.end - size - 1], text[found.end : found.end + 1]
    opens_not = _is_letter(before) and _is_punctuation(first) and not before.isascii()
    closes_not = _is_letter(after) and _is_punctuation(last)
    if found.mark == "*":  # "2*3" and "*.txt" are no emphasis
        is_product = _is_letter(before) and before.isascii()
        opens_not = opens_not and not first.isascii()
        return not is_product and (opens_not or (closes_not and not last.isascii()))
    is_meant = not (after + last).isascii() or (last in _ENDS and first.isalnum())
    return opens_not or (closes_not and is_meant)


def _is_letter(character: str) -> bool:
    return character.isalnum()


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
