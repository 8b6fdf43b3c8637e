from __future__ import annotations

import asyncio

import pytest

from bot.core.stopper import Stopper


async def test_what_is_stopped_before_it_begins_does_nothing() -> None:
    done: list[str] = []

    async def work() -> None:
        done.append("work")

    assert not await Stopper(stopped=True).guard(work())
    assert done == []


async def test_work_is_stopped_in_the_middle_and_what_stands_around_it_goes_on() -> None:
    stopper, begun = Stopper(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.Event().wait()

    guarded = asyncio.create_task(stopper.guard(work()))
    await begun.wait()
    stopper.stop()
    assert not await guarded
    assert stopper.stopped


async def test_work_that_takes_too_long_by_its_own_clock_was_not_stopped() -> None:
    async def work() -> None:
        raise TimeoutError("the API")

    with pytest.raises(TimeoutError, match="the API"):
        await Stopper().guard(work())
