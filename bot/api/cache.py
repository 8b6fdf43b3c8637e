"""Remembers answers to identical requests, bounded in number and time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from bot.core.ports import Clock

V = TypeVar("V")


class Cache(Generic[V]):
    """The newest `size` values, each for `seconds`."""

    def __init__(self, clock: Clock, *, size: int, seconds: float) -> None:
        self._clock = clock
        self._size = size
        self._seconds = seconds
        self._kept: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()

    def get(self, key: Hashable) -> V | None:
        """The value that was kept for `key`; None when there is none, or it is too old."""
        if key not in self._kept:
            return None
        at, value = self._kept[key]
        if self._clock.monotonic() - at >= self._seconds:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return value

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value; the one that was used longest ago makes room."""
        self._kept[key] = (self._clock.monotonic(), value)
        self._kept.move_to_end(key)
        while len(self._kept) > self._size:
            self._kept.popitem(last=False)
