"""Cuts texts to a number of tokens."""

from __future__ import annotations

from collections.abc import Callable

NEAR = 80
"""Characters within which a space is looked for, to cut there."""


def beginning(text: str, room: int, count: Callable[[str], int]) -> str:
    """As much of the beginning as fits, cut at a space where there is one near."""
    end, size = len(text), count(text)
    while size > room and end:
        end = min(end - 1, int(end * room / size))
        size = count(text[:end])
    if end == len(text):
        return text
    space = text.rfind(" ", max(0, end - NEAR), end)
    return text[: space if space > 0 else end].rstrip()


def ending(text: str, room: int, count: Callable[[str], int]) -> str:
    """As much of the end as fits, cut at a space where there is one near."""
    begin, size = 0, count(text)
    while size > room and begin < len(text):
        left = len(text) - begin
        begin = len(text) - min(left - 1, int(left * room / size))
        size = count(text[begin:])
    if not begin:
        return text
    space = text.find(" ", begin, begin + NEAR)
    return text[space if space > 0 else begin :].lstrip()
