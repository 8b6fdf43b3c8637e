"""A clock for tests: it stands still until it is told."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

SETTLING = 25


class ManualClock:
    """Time that passes only when it is told to.

    `settling` is in turns of the event loop: so many, and everything that can run has run.
    """

    def __init__(self, *, settling: int = SETTLING) -> None:
        self._settling = settling
        self._now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until time has been advanced by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._numbers), woken))
        await woken

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], object]:
        """Call it when time has been advanced by `seconds`."""
        woken, due = asyncio.get_running_loop().create_future(), [call]
        woken.add_done_callback(lambda _: due.pop()() if due else None)
        heapq.heappush(self._sleepers, (self._now + seconds, next(self._numbers), woken))

        def call_off() -> None:
            due.clear()
            woken.cancel()

        return call_off

    async def settle(self) -> None:
        """Let everything run that waits for nothing but its turn."""
        for _ in range(self._settling):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Let time pass, waking sleepers in the order in which they are due."""
        end = self._now + seconds
        await self.settle()
        while (due := self._next_due()) is not None and due <= end:
            self._wake(due)
            await self.settle()
        self._now = end

    async def stand_still(self, seconds: float) -> None:
        """Let time pass in which nothing runs: who is due meanwhile wakes up late."""
        self._now += seconds
        self._wake(self._now)
        await self.settle()

    async def drive(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end; whenever everything waits, jump to the next sleeper."""
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                await self.settle()
                if not task.done() and (due := self._next_due()) is not None:
                    self._wake(due)
        finally:
            task.cancel()
        return await task

    def _next_due(self) -> float | None:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # it was cancelled
        return self._sleepers[0][0] if self._sleepers else None

    def _wake(self, due: float) -> None:
        self._now = due
        while self._sleepers and self._sleepers[0][0] <= due:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)
