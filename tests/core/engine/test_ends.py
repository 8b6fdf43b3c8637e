"""What has happened is written down for as long as it takes the database to take it."""

from __future__ import annotations

import pytest

from bot.core.engine.ends import insist
from bot.core.fakes.clock import ManualClock
from bot.errors import StoreBusy, StoreError, StoreRefused


class Books:
    """A database that refuses some writes before it takes one."""

    def __init__(self, *refusals: StoreError) -> None:
        self._refusals = list(refusals)
        self.tries = 0
        self.written = False

    async def write(self) -> None:
        self.tries += 1
        if self._refusals:
            raise self._refusals.pop(0)
        self.written = True


async def test_it_is_tried_until_the_database_takes_it(clock: ManualClock) -> None:
    books = Books(*[StoreBusy("locked")] * 20)
    await clock.drive(insist(books.write, clock=clock, leaving=lambda: False))
    assert books.written
    assert 60 < clock.monotonic() <= 200


async def test_a_bot_that_leaves_does_not_wait_for_it(clock: ManualClock) -> None:
    books = Books(*[StoreBusy("locked")] * 20)
    await clock.drive(insist(books.write, clock=clock, leaving=lambda: True))
    assert not books.written
    assert clock.monotonic() <= 1


async def test_what_can_never_be_kept_is_tried_once_more(clock: ManualClock) -> None:
    books = Books(StoreRefused("too large"), StoreRefused("too large"))
    with pytest.raises(StoreRefused):
        await clock.drive(insist(books.write, clock=clock, leaving=lambda: False))
    assert books.tries == 2


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
