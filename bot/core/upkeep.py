"""A database that stays small by itself: what is old is deleted once a day, a little at a time."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import Protocol

from bot.core.ports import Clock
from bot.errors import StoreError

log = logging.getLogger(__name__)

FIRST = 300.0
"""Seconds after the start: by then the platforms have delivered again what they were to."""
LOOK_AFTER = 3600.0
"""Seconds after which it is looked whether it is time."""
MOST_DAYS = 36_500
REST = 9.0
"""Seconds of rest for each that the deleting takes: nine tenths of the time belong to people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """How many rows were deleted; `entries` are of what was used, whose sums stay."""

    turns: int = 0
    actions: int = 0
    entries: int = 0
    messages: int = 0
    files: int = 0


class Upkeep(Protocol):
    """Deletes what is older than the operator wants it kept. Every method raises `StoreError`."""

    async def due(self) -> bool:
        """Whether it is time to purge: whoever is told so does it.

        Once a day; of several bots that share the database, one is told so. What was interrupted
        is due again soon.
        """

    async def purge(self, clock: Clock, *, rest: float) -> Purged:
        """Delete what is old, a little at a time, with `rest` seconds of rest for each of work.

        It may be left, or break off, at any point.
        """


async def keep_small(upkeep: Upkeep, clock: Clock) -> None:
    """Purge once a day, until cancelled. While the database does not answer, it can wait."""
    await clock.sleep(FIRST)
    while True:
        try:
            if await upkeep.due():
                log.info("purged", extra=asdict(await upkeep.purge(clock, rest=REST)))
        except StoreError as error:
            log.warning("not purged", extra={"error": repr(error)})
        await clock.sleep(LOOK_AFTER)
