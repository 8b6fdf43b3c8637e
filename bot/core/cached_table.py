"""Small tables of the database, kept in memory since they are looked at for every message."""

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

FRESH = 30.0
"""Seconds until a table is read again, in case another process changed it."""


class CachedTable(Generic[Key, Value]):
    """A copy of a table, read again when it is old; once for all who ask at the same time.

    While the database fails, the old copy is used. `name` is for the log.
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
        if self._since is None or self._clock.monotonic() - self._since >= FRESH:
            await self._reading.run()

    def change(self, key: Key, value: Value) -> None:
        """Take over a change that was just written, also while the table is being read."""
        self.known = {**self.known, key: value}
        self._changed[key] = value

    async def _read_anew(self) -> None:
        self._changed = {}
        try:
            found = await self._read()
        except StoreError as error:
            if self._since is None:
                raise
            log.warning("using the old copy", extra={"table": self._name, "error": repr(error)})
        else:
            self.known = {**found, **self._changed}
        self._since = self._clock.monotonic()
