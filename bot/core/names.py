"""What people call themselves, where others read it."""

from __future__ import annotations

import unicodedata

ABOUT_PEOPLE = r"(?:allow|deny|quota|limits?|usage|cost)\b"
"""Commands about people, as an expression: who is mentioned in one is told by id, since others may
have the name."""
_MARKS = str.maketrans("`[]", "'()")
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Unseen, but a part of words in Persian, and of emoji."""


def harmless(name: str) -> str:
    """A name for a line of Markdown: no link, no code, and nothing that turns the line around."""
    return "".join(filter(_is_seen, name)).translate(_MARKS).strip()


def _is_seen(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in ("Cc", "Cf")
