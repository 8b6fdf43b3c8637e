from __future__ import annotations

import asyncio

import pytest

from bot.core.errands import PAUSES, Errands, beside, insist
from bot.core.fakes.clock import ManualClock
from bot.core.fakes.platform import CHAT
from bot.errors import ChatGone, PlatformDown, PlatformError, RateLimited


async def test_an_errand_that_fails_is_in_the_log_and_takes_nobody_along(
    caplog: pytest.LogCaptureFixture,
) -> None:
    errands, done = Errands(), asyncio.Event()

    async def fail() -> None:
        raise ValueError("no such name")

    async def work() -> None:
        done.set()

    errands.send(fail())
    errands.send(work())
    await errands.close(patience=5)
    assert done.is_set()
    assert not errands
    (record,) = caplog.records
    assert (record.levelname, record.message) == ("ERROR", "errand failed")
    assert "no such name" in caplog.text


async def test_what_is_not_done_in_time_is_dropped() -> None:
    errands, dropped = Errands(), asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            dropped.set()

    errands.send(work())
    await asyncio.sleep(0)  # it has begun
    await errands.close()
    assert dropped.is_set()


async def test_work_beside_a_block_ends_with_it() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with beside(work()):
        await begun.wait()
        assert not ended.is_set()
    assert ended.is_set()


@pytest.mark.parametrize(
    ("errors", "calls"),
    [
        ([], [0.0]),
        ([PlatformDown("no route"), RateLimited(7.0)], [0.0, 1.0, 8.0]),
        ([PlatformError("too old to be deleted")], [0.0]),
        ([ChatGone("deleted")], [0.0]),
        ([PlatformDown("no route")] * 9, [0.0, 1.0, 3.0, 7.0, 15.0]),
    ],
)
async def test_a_call_is_made_again_where_that_may_help(
    errors: list[PlatformError], calls: list[float]
) -> None:
    clock, made, left = ManualClock(), list[float](), iter(errors)

    async def call() -> None:
        made.append(clock.monotonic())
        if (error := next(left, None)) is not None:
            raise error

    insisting = asyncio.create_task(insist(call, CHAT, clock, failed="not called"))
    await clock.advance(2 * sum(PAUSES))
    await insisting
    assert made == calls
