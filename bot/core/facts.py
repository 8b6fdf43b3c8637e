"""What servers have told about models, kept over a restart: nothing is refused, or paid, twice.

It is read once, at the start, and written behind, some time after it was learnt. A database that
fails costs nothing but this memory. Of two bots on one database the last writer wins.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from bot.core.errands import Errands
from bot.core.ports import Clock
from bot.errors import StoreError

log = logging.getLogger(__name__)

LIFE = 7 * 86_400.0
"""Seconds after which a fact is forgotten, so that a server that was mended is found out."""
MOST = 2_000
"""Facts that are kept; the oldest make room."""
DELAY = 10.0
"""Seconds for which what was learnt is gathered: whoever waits for an answer has it by then."""
AGAIN = 60.0
"""Seconds until a database that failed is tried again."""
FAREWELL = 1.0
"""Seconds that the last writing has, when the bot ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What was learnt of a model at an address: nothing that people wrote, and no secret.

    `value` is JSON; empty: it does not hold any more. `age` in seconds.
    """

    address: str
    model: str
    name: str
    value: str
    age: float = 0.0


class Facts(Protocol):
    """The facts in the database. Every method raises `StoreError`."""

    async def all(self) -> Sequence[Fact]:
        """Those that are no older than `LIFE`, newest first; `MOST` at most."""

    async def put(self, facts: Sequence[Fact]) -> None:
        """Keep these as of now, and forget what does not hold any more or is too old."""


class Notebook:
    """The facts as they stood at the start, and the way for new ones into the database."""

    def __init__(self, facts: Facts, clock: Clock) -> None:
        self._facts = facts
        self._clock = clock
        self._found: Sequence[Fact] = ()
        self._new: dict[tuple[str, str, str], Fact] = {}
        self._errands = Errands()
        self._is_writing = self._is_failing = False

    async def open(self) -> None:
        """Read what is known; where that fails, nothing is."""
        try:
            self._found = await self._facts.all()
        except StoreError as error:
            log.warning("facts about models not read", extra={"error": repr(error)})

    def found(self, address: str) -> Sequence[Fact]:
        """What was known at the start of the models at an address, oldest first."""
        return [fact for fact in reversed(self._found) if fact.address == address]

    def note(self, fact: Fact) -> None:
        """Keep a fact, or forget it; returns at once."""
        key = (fact.address, fact.model, fact.name)
        self._new.pop(key, None)
        self._new[key] = fact
        if len(self._new) > MOST:
            del self._new[next(iter(self._new))]
        if not self._is_writing:
            self._is_writing = True
            self._errands.send(self._write_behind())

    async def close(self) -> None:
        """Write down what is left."""
        await self._errands.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await self._write()

    async def _write_behind(self) -> None:
        await self._clock.sleep(DELAY)
        while self._new:
            if not await self._write():
                await self._clock.sleep(AGAIN)
        self._is_writing = False

    async def _write(self) -> bool:
        """Whether what is new stands in the database."""
        if not self._new:
            return True
        new = dict(self._new)
        try:
            await self._facts.put(list(new.values()))
        except StoreError as error:
            if not self._is_failing:
                log.warning("facts about models not written down", extra={"error": repr(error)})
            self._is_failing = True
            return False
        self._is_failing = False
        for key, fact in new.items():
            if self._new.get(key) is fact:
                del self._new[key]
        return True
