from __future__ import annotations

import asyncio

import pytest

from bot.core.errands import Errands, beside


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
