"""Small tables that are believed from memory, since they are looked at for every message."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from bot.core.ports import Clock
from bot.core.single_flight import SingleFlight
from bot.errors import StoreError

log = logging.getLogger(__name__)

Key = TypeVar("Key")
Value = TypeVar("Value")

BELIEVED = 30.0
"""Seconds until a table is read anew, in case another replica changed it."""


class Believed(Generic[Key, Value]):
    """What a table says, as far as it is known: it is read once for all who ask at the same time.

    `name` is for the log.
    """

    def __init__(
        self, name: str, read: Callable[[], Awaitable[Mapping[Key, Value]]], clock: Clock
    ) -> None:
        self.known: Mapping[Key, Value] = {}
        self._name = name
        self._read = read
        self._clock = clock
        self._since: float | None = None
        self._changed: dict[Key, Value] = {}
        self._reading = SingleFlight(self._read_anew)

    async def refresh(self) -> None:
        """Read the table if it is too old. Raises `StoreError` while it was never read."""
        if self._since is None or self._clock.monotonic() - self._since >= BELIEVED:
            await self._reading.run()

    def change(self, key: Key, value: Value) -> None:
        """Know of a change that has just been written, also if the table is being read now."""
        self.known = {**self.known, key: value}
        self._changed[key] = value

    async def _read_anew(self) -> None:
        self._changed = {}
        try:
            found = await self._read()
        except StoreError as error:
            if self._since is None:
                raise
            log.warning("believed on", extra={"table": self._name, "error": repr(error)})
        else:
            self.known = {**found, **self._changed}
        self._since = self._clock.monotonic()
