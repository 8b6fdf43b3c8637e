"""A clock that a test moves by hand."""

from __future__ import annotations

import asyncio


class SteppedClock:
    """Stands still until it is told to go on; those who sleep wake when their time has come."""

    def __init__(self) -> None:
        self._now = 1_000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            return
        woken = asyncio.Event()
        self._sleepers.append((self._now + seconds, woken))
        await woken.wait()

    def step(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        for due, woken in self._sleepers:
            if due <= self._now:
                woken.set()
        self._sleepers = [(due, woken) for due, woken in self._sleepers if due > self._now]
