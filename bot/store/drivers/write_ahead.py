"""Empties SQLite's write-ahead log after words were deleted: they stand in it, too.

A log of which nothing is needed any more is written over from its beginning, and the rest of it
stays for as long as little is written. Emptying it waits for those who still read what was there
before, and whoever writes waits meanwhile: so it is tried for a moment, and again later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from bot.core.errands import cancel
from bot.errors import StoreError
from bot.store.drivers.connection import Connection

log = logging.getLogger(__name__)

MOMENT = 50
"""Milliseconds that others who write may wait for those who read."""
SOON = 1.0
"""Seconds to the first try: what is deleted meanwhile goes with it."""
LATER = 10.0
"""Seconds to the next, where somebody reads for long: a backup is made."""

Reading: TypeAlias = Callable[[Callable[[Connection], Awaitable[bool]]], Awaitable[bool]]
"""Runs a job outside of a transaction. Raises `StoreError`."""


class WriteAheadLog:
    """The log of one database, which `run` reaches. That it cannot be emptied yet is said once."""

    def __init__(self, run: Reading) -> None:
        self._run = run
        self._emptying: asyncio.Task[None] | None = None
        self._is_wanted = False
        self._is_told = False  # an operator would hear of a long reading every few seconds

    async def empty(self) -> None:
        """Move what is in the log into the file, now or, if somebody reads it, later."""
        if not await self._try():
            self._begin(LATER)

    def empty_soon(self) -> None:
        """Do so in a moment."""
        self._begin(SOON)

    async def close(self) -> None:
        """Wait no longer: who closes the database last empties the log."""
        if self._emptying is not None:
            await cancel(self._emptying)

    def _begin(self, pause: float) -> None:
        self._is_wanted = True
        if self._emptying is None or self._emptying.done():
            self._emptying = asyncio.create_task(self._insist(pause))

    async def _insist(self, pause: float) -> None:
        while self._is_wanted:
            await asyncio.sleep(pause)
            self._is_wanted = False  # what is deleted during a try is for the next
            if not await self._try():
                self._is_wanted, pause = True, LATER

    async def _try(self) -> bool:
        try:
            is_empty = await self._run(_empty)
        except StoreError as error:
            if not self._is_told:
                log.warning("log not emptied, tried again", extra={"error": repr(error)})
            is_empty = False
        else:
            if not is_empty and not self._is_told:
                log.info("log in use, emptied later")
        self._is_told = not is_empty
        return is_empty


async def _empty(connection: Connection) -> bool:
    """Empty the log; False when somebody reads or writes all the while."""
    usual = (await connection.exec_driver_sql("PRAGMA busy_timeout")).scalar_one()
    await connection.exec_driver_sql(f"PRAGMA busy_timeout = {MOMENT}")
    try:
        emptying = await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, _in_log, _moved = emptying.one()
    finally:
        await connection.exec_driver_sql(f"PRAGMA busy_timeout = {usual}")
    return not busy
