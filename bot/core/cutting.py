"""Cuts texts to a number of tokens."""

from __future__ import annotations

from collections.abc import Callable

NEAR = 80
"""Characters within which a space is looked for, to cut there."""
FINEST = 1_000
"""At least one part in so many is cut off at a time: else a long text is counted over and over."""


def beginning(text: str, room: int, count: Callable[[str], int]) -> str:
    """As much of the beginning as fits, cut at a space where there is one near."""
    end, size = len(text), count(text)
    while size > room and end:
        at = min(end - 1 - end // FINEST, int(end * room / size))
        size = _rest(size, room, stays=text[:at], goes=text[at:end], count=count)
        end = at
    if end == len(text):
        return text
    space = text.rfind(" ", max(0, end - NEAR), end)
    return text[: space if space > 0 else end].rstrip()


def ending(text: str, room: int, count: Callable[[str], int]) -> str:
    """As much of the end as fits, cut at a space where there is one near."""
    begin, size = 0, count(text)
    while size > room and begin < len(text):
        left = len(text) - begin
        at = len(text) - min(left - 1 - left // FINEST, int(left * room / size))
        size = _rest(size, room, stays=text[at:], goes=text[begin:at], count=count)
        begin = at
    if not begin:
        return text
    space = text.find(" ", begin, begin + NEAR)
    return text[space if space > 0 else begin :].lstrip()


def _rest(size: int, room: int, *, stays: str, goes: str, count: Callable[[str], int]) -> int:
    """The tokens of what stays; only about so many as long as they are too many for the room.

    Counting takes a while: until then the shorter part is counted.
    """
    if len(goes) < len(stays) and (about := size - count(goes)) > room:
        return about
    return count(stays)
