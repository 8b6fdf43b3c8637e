"""Remembers answers to identical requests, bounded in size and time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from bot.core.ports import Clock

V = TypeVar("V")


class Cache(Generic[V]):
    """The newest values, each for `seconds`; together they `weigh` no more than `size`.

    Without `weigh` every value weighs one.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        size: int,
        seconds: float,
        weigh: Callable[[V], int] = lambda _: 1,
    ) -> None:
        self._clock = clock
        self._size = size
        self._seconds = seconds
        self._weigh = weigh
        self._weight = 0
        self._kept: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()

    def get(self, key: Hashable) -> V | None:
        """The value that was kept for `key`; None when there is none, or it is too old."""
        if key not in self._kept:
            return None
        at, value = self._kept[key]
        if self._clock.monotonic() - at >= self._seconds:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return value

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value; those that were used longest ago make room."""
        if key in self._kept:
            self._drop(key)
        self._kept[key] = (self._clock.monotonic(), value)
        self._weight += self._weigh(value)
        while self._weight > self._size:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        _, value = self._kept.pop(key)
        self._weight -= self._weigh(value)
