"""Where a text may be cut without breaking what a reader takes for one character.

A close approximation of Unicode's extended grapheme clusters (UAX #29), from the standard library:
combining marks, emoji with joiners, modifiers and tags, flags, Hangul, Indic conjuncts, surrogates.
"""

from __future__ import annotations

import unicodedata

ZERO_WIDTH_JOINER = 0x200D
VIRAMA = 9
"""The canonical combining class of the signs that join two Indic consonants."""
LONGEST = 100
"""Code points of one character at most; of a longer heap of marks nobody sees where it is cut."""
_SPACING_VOWELS = {0x0E33, 0x0EB3}  # Thai and Lao AM: letters that extend the one before


def is_boundary(text: str, at: int) -> bool:
    """Whether the text may be cut before `text[at]`."""
    if at <= 0 or at >= len(text):
        return True
    before, after = ord(text[at - 1]), ord(text[at])
    if before < 0x300 and after < 0x300:
        return not (text[at - 1] == "\r" and text[at] == "\n")
    if _extends(after):
        return text[at - 1] in "\r\n"
    if before == ZERO_WIDTH_JOINER:
        return text[at].isspace()
    if _is_regional(before) and _is_regional(after):
        return _regionals_before(text, at) % 2 == 0
    if unicodedata.combining(text[at - 1]) == VIRAMA:
        return not text[at].isalpha()
    return not (0xD800 <= before < 0xDC00 <= after < 0xE000)


def boundary_before(text: str, at: int) -> int:
    """The nearest place at or before `at` where the text may be cut."""
    places = range(at, max(-1, at - LONGEST), -1)
    return next((place for place in places if is_boundary(text, place)), at)


def boundary_after(text: str, at: int) -> int:
    """The nearest place at or after `at` where the text may be cut."""
    return next((place for place in range(at, at + LONGEST) if is_boundary(text, place)), at)


def _extends(code: int) -> bool:
    return (
        code == ZERO_WIDTH_JOINER
        or code in _SPACING_VOWELS
        or 0x1160 <= code <= 0x11FF  # Hangul vowels and finals
        or 0xD7B0 <= code <= 0xD7FB
        or 0x1F3FB <= code <= 0x1F3FF  # skin tones
        or 0xE0020 <= code <= 0xE007F  # tags: the flags of England, Scotland and Wales
        or unicodedata.category(chr(code)).startswith("M")  # with variation selectors, keycaps
    )


def _is_regional(code: int) -> bool:
    return 0x1F1E6 <= code <= 0x1F1FF


def _regionals_before(text: str, at: int) -> int:
    count = 0
    while count < at and _is_regional(ord(text[at - 1 - count])):
        count += 1
    return count
