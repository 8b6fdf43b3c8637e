"""What stands between the pieces of a text, and where it is cut.

Chinese has marks of its own, and no spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import reduce
from gettext import NullTranslations

_NARROW = {0xFF01 + at: 0x21 + at for at in range(0x5E)} | {0x3000: 0x20}
_SPACELESS = re.compile(
    r"[\u2e80-\u312f\u31a0-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
"""Letters and marks of Chinese and Japanese, which need no space beside them."""


def in_a_row(texts: NullTranslations, *sentences: str) -> str:
    """Sentences one after another; empty ones are left out."""

    def joined(first: str, second: str) -> str:
        return texts.gettext("{first} {second}").format(first=first, second=second)

    return reduce(joined, [each for each in sentences if each] or [""])


def paragraphs(*texts: str) -> str:
    """Paragraphs of Markdown, one below the other; empty ones are left out."""
    return "\n\n".join(each for each in texts if each)


def listed(title: str, lines: Iterable[str]) -> str:
    """Lines as a list of Markdown, under their title."""
    return f"**{title}**\n\n" + "\n".join(f"- {line}" for line in lines)


def shortened(text: str, length: int) -> str:
    """At most `length` characters of a text; one that is longer ends with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def items(texts: NullTranslations, things: Iterable[str]) -> str:
    """`a, b`, of what is said about something: `甲，乙`."""
    return texts.gettext(", ").join(things)


def enumerated(texts: NullTranslations, things: Iterable[str]) -> str:
    """`a, b`, of one or more things that are only named: `甲、乙`."""

    def both(first: str, second: str) -> str:
        return texts.gettext("{one}, {other}").format(one=first, other=second)

    return reduce(both, things)


def valued(texts: NullTranslations, name: str, value: str) -> str:
    """`name: value`."""
    return texts.gettext("{name}: {value}").format(name=name, value=value)


def noted(texts: NullTranslations, text: str, note: str) -> str:
    """`text (note)`."""
    return texts.gettext("{text} ({note})").format(text=text, note=note)


def joined(pieces: Iterable[str]) -> str:
    """Pieces of speech one after another, with spaces only where the language has them."""

    def both(first: str, second: str) -> str:
        is_spaceless = _SPACELESS.match(first[-1:]) or _SPACELESS.match(second[:1])
        return first + second if is_spaceless or not first else f"{first} {second}"

    return reduce(both, filter(None, map(str.strip, pieces)), "")


def narrow(text: str) -> str:
    """What a Chinese keyboard wrote wide, as others write it: `０．３` is `0.3`."""
    return text.translate(_NARROW)
