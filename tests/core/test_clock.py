"""What can be done with any clock."""

from __future__ import annotations

import asyncio

from bot.core.clock import SystemClock, heard_within, ticking, within
from bot.core.fakes.clock import ManualClock


async def test_an_event_is_waited_for_no_longer_than_asked() -> None:
    clock, event = ManualClock(), asyncio.Event()
    waiting = asyncio.ensure_future(within(clock, 5.0, event.wait()))
    await clock.advance(4.9)
    assert not waiting.done()
    await clock.advance(0.1)
    assert await waiting is False
    waiting = asyncio.ensure_future(within(clock, 5.0, event.wait()))
    await clock.advance(1.0)
    event.set()
    assert await waiting is True
    assert clock.monotonic() == 6.0


async def test_an_event_that_comes_with_the_last_moment_disturbs_nobody() -> None:
    clock, event = ManualClock(), asyncio.Event()
    waiting = asyncio.ensure_future(within(clock, 5.0, event.wait()))
    await clock.settle()
    clock.later(5.0, event.set)
    await clock.advance(5.0)
    await waiting
    await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_what_comes_in_time_is_heard_also_while_the_process_stood_still() -> None:
    clock, come = ManualClock(), asyncio.Event()
    waiting = asyncio.ensure_future(heard_within(clock, 1.0, come.wait))
    await clock.settle()
    clock.later(0.5, come.set)
    await clock.advance(0.5)
    assert await waiting is True
    come.clear()
    for comes in (True, False):
        waiting = asyncio.ensure_future(heard_within(clock, 1.0, come.wait))
        await clock.settle()
        await clock.stand_still(5.0)
        assert not waiting.done()
        if comes:
            come.set()
        await clock.advance(1.0)
        assert await waiting is comes
        come.clear()


async def test_who_is_cancelled_while_waiting_for_an_event_is_cancelled() -> None:
    waiting = asyncio.ensure_future(within(SystemClock(), 60.0, asyncio.Event().wait()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled()


async def test_it_ticks_as_long_as_the_block_runs() -> None:
    clock, ticks = ManualClock(), list[float]()
    with ticking(clock, 2.0, lambda: ticks.append(clock.monotonic())):
        await clock.advance(7.0)
    await clock.advance(7.0)
    assert ticks == [2.0, 4.0, 6.0]
