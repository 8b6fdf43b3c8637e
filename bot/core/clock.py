"""The clock of the machine, as the port `Clock`, and what can be done with any clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from bot.core.ports import Clock

LATE = 0.5
"""A process that wakes up so many seconds too late has stood still: it was suspended, or its
machine was busy."""
MOMENT = 0.3
"""Seconds in which it reads what came meanwhile."""


class SystemClock:
    """Real time."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for real."""
        await asyncio.sleep(max(0.0, seconds))

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], object]:
        """Let the event loop call it."""
        return asyncio.get_running_loop().call_later(max(0.0, seconds), call).cancel


@contextmanager
def ticking(clock: Clock, seconds: float, tick: Callable[[], None]) -> Iterator[None]:
    """Call `tick` whenever so many seconds have passed inside the block."""
    call_off: Callable[[], object]

    def begin() -> None:
        nonlocal call_off
        call_off = clock.later(seconds, end)

    def end() -> None:
        begin()
        tick()

    begin()
    try:
        yield
    finally:
        call_off()


async def within(clock: Clock, seconds: float, wait: Coroutine[Any, Any, object]) -> bool:
    """Wait for something, but no longer than so many seconds; whether it came."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as limit:
            call_off = clock.later(seconds, lambda: limit.reschedule(loop.time()))
            try:
                await wait
            finally:
                call_off()
    except TimeoutError:
        return False
    return True


async def heard_within(
    clock: Clock, seconds: float, wait: Callable[[], Coroutine[Any, Any, object]]
) -> bool:
    """The same, for waiting on what comes over a connection: a process that stood still gets more.

    When it goes on, the time is over before it has read what came in time; so it waits `MOMENT`
    longer.
    """
    due = clock.monotonic() + max(0.0, seconds)
    if await within(clock, seconds, wait()):
        return True
    return clock.monotonic() - due > LATE and await within(clock, MOMENT, wait())
