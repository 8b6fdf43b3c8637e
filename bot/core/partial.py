"""What may be shown of a text that is still being written."""

from __future__ import annotations


def settle(text: str) -> str:
    """The beginning of the text that will look the same when more is written."""
    return text.rstrip()
