"""Emphasis as it is written in languages without blanks between words.

    **注意：**后面

is not bold to CommonMark, since a mark after punctuation closes only before a blank. Models write
that all the time in Chinese, Japanese and Korean, and people would read asterisks. Such stretches
become the HTML that means the same.
"""

from __future__ import annotations

import re
import unicodedata

from bot.core.delivery.markdown import LineKind, lines, spans

_TAGS = {"**": "b", "__": "b", "~~": "s"}
_SUSPECT = re.compile(r"\w(?:\*\*|__|~~)[^\w\s]|[^\w\s](?:\*\*|__|~~)\w")
_WORDS = frozenset({LineKind.TEXT, LineKind.HEADING, LineKind.TABLE_HEAD, LineKind.TABLE_ROW})
_ENDS = ":.!?"
"""Behind these a word may follow without a blank by mistake."""


def separated(markdown: str) -> str:
    """The text with emphasis that CommonMark would not see as HTML."""
    if _SUSPECT.search(markdown) is None:
        return markdown
    pieces: list[str] = []
    at = 0
    for line in lines(markdown):
        if line.kind not in _WORDS:
            continue
        for start, end in spans(markdown, line.start, line.end):
            mark = markdown[start : start + 2]
            if mark in _TAGS and _is_missed(markdown, start, end):
                inner = separated(markdown[start + 2 : end - 2])
                pieces += [markdown[at:start], f"<{_TAGS[mark]}>{inner}</{_TAGS[mark]}>"]
                at = end
    pieces.append(markdown[at:])
    return "".join(pieces)


def _is_missed(text: str, start: int, end: int) -> bool:
    """Whether one of the marks stands between punctuation inside and a letter outside."""
    before, first = text[start - 1 : start], text[start + 2]
    last, after = text[end - 3], text[end : end + 1]
    opens_not = _is_letter(before) and _is_punctuation(first) and not before.isascii()
    closes_not = _is_letter(after) and _is_punctuation(last)
    is_meant = not (after + last).isascii() or (last in _ENDS and first.isalnum())
    return opens_not or (closes_not and is_meant)


def _is_letter(character: str) -> bool:
    return character.isalnum()


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
