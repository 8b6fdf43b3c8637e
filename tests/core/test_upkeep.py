from __future__ import annotations

import asyncio

import pytest

from bot.core.fakes.clock import ManualClock
from bot.core.ports import Clock
from bot.core.upkeep import FIRST, LOOK_AFTER, Purged, keep_small
from bot.errors import StoreError


class Attic:
    """A database that is full of old things every third time that somebody looks, and once away."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.looked: list[float] = []

    async def due(self) -> bool:
        self.looked.append(self._clock.monotonic())
        if len(self.looked) == 2:
            raise StoreError("locked")
        return len(self.looked) % 3 == 0

    async def purge(self, clock: Clock, *, rest: float) -> Purged:
        return Purged(turns=3)


async def test_it_is_looked_once_an_hour_whether_it_is_time_also_after_the_database_was_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    attic = Attic(clock)
    with caplog.at_level("INFO"):
        keeping = asyncio.create_task(keep_small(attic, clock))
        await clock.advance(FIRST + 3 * LOOK_AFTER)
        keeping.cancel()
        await asyncio.wait({keeping})
    assert attic.looked == [FIRST + hour * LOOK_AFTER for hour in range(4)]
    assert caplog.messages == ["not purged", "purged"]
    assert vars(caplog.records[1])["turns"] == 3
