from __future__ import annotations

import asyncio

import pytest

from bot.core.single_flight import SingleFlight


class Work:
    """Work that is done when it is let go."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.go = asyncio.Event()

    async def __call__(self) -> None:
        self.begun += 1
        await self.go.wait()
        self.ended += 1
        if self.ended == 2:
            raise OSError("no luck")


async def test_many_who_ask_at_once_go_on_together() -> None:
    work = Work()
    flight = SingleFlight(work)
    asking = [asyncio.create_task(flight.run()) for _ in range(300)]
    await asyncio.sleep(0)
    work.go.set()
    for _ in range(5):  # turns of the loop: one for each who asks would be 300
        await asyncio.sleep(0)
    assert all(one.done() for one in asking)
    assert work.begun == 1


async def test_whoever_asks_later_has_it_done_anew_and_everybody_hears_of_a_failure() -> None:
    work = Work()
    work.go.set()
    flight = SingleFlight(work)
    await flight.run()
    ends = await asyncio.gather(*(flight.run() for _ in range(3)), return_exceptions=True)
    assert [repr(end) for end in ends] == [repr(OSError("no luck"))] * 3
    await flight.run()
    assert work.begun == 3


async def test_it_goes_on_as_long_as_somebody_waits() -> None:
    work = Work()
    flight = SingleFlight(work)
    first, second = (asyncio.create_task(flight.run()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    third = asyncio.create_task(flight.run())
    await asyncio.sleep(0)
    second.cancel()
    third.cancel()
    await asyncio.wait({second, third})
    work.go.set()
    await flight.run()
    assert (work.begun, work.ended) == (2, 1)
    with pytest.raises(asyncio.CancelledError):
        third.result()


async def test_who_leaves_when_it_is_done_ends_no_later_run() -> None:
    work = Work()
    flight = SingleFlight(work)
    first = asyncio.create_task(flight.run())
    await asyncio.sleep(0)
    work.go.set()
    await asyncio.sleep(0)
    assert work.ended == 1
    work.go.clear()
    second = asyncio.create_task(flight.run())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    third = asyncio.create_task(flight.run())
    await asyncio.sleep(0)
    work.go.set()
    await asyncio.wait({second, third})
    assert work.begun == 2
    assert repr(second.exception()) == repr(third.exception()) == repr(OSError("no luck"))
