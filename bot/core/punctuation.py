"""What stands between the pieces of a text: Chinese has marks of its own, and no spaces."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from gettext import NullTranslations


def in_a_row(texts: NullTranslations, *sentences: str) -> str:
    """Sentences one after another; empty ones are left out."""

    def joined(first: str, second: str) -> str:
        return texts.gettext("{first} {second}").format(first=first, second=second)

    return reduce(joined, [each for each in sentences if each] or [""])


def items(texts: NullTranslations, things: Iterable[str]) -> str:
    """`a, b`."""
    return texts.gettext(", ").join(things)


def valued(texts: NullTranslations, name: str, value: str) -> str:
    """`name: value`."""
    return texts.gettext("{name}: {value}").format(name=name, value=value)


def noted(texts: NullTranslations, text: str, note: str) -> str:
    """`text (note)`."""
    return texts.gettext("{text} ({note})").format(text=text, note=note)
