"""What stands between the pieces of a text, and where it is cut.

Chinese has marks of its own, and no spaces.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from gettext import NullTranslations


def in_a_row(texts: NullTranslations, *sentences: str) -> str:
    """Sentences one after another; empty ones are left out."""

    def joined(first: str, second: str) -> str:
        return texts.gettext("{first} {second}").format(first=first, second=second)

    return reduce(joined, [each for each in sentences if each] or [""])


def paragraphs(*texts: str) -> str:
    """Paragraphs of Markdown, one below the other; empty ones are left out."""
    return "\n\n".join(each for each in texts if each)


def shortened(text: str, length: int) -> str:
    """At most `length` characters of a text; one that is longer ends with an ellipsis."""
    return text if len(text) <= length else text[: length - 1] + "…"


def items(texts: NullTranslations, things: Iterable[str]) -> str:
    """`a, b`."""
    return texts.gettext(", ").join(things)


def valued(texts: NullTranslations, name: str, value: str) -> str:
    """`name: value`."""
    return texts.gettext("{name}: {value}").format(name=name, value=value)


def noted(texts: NullTranslations, text: str, note: str) -> str:
    """`text (note)`."""
    return texts.gettext("{text} ({note})").format(text=text, note=note)
