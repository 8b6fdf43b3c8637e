"""Clocks of real time that do as a test wants."""

from __future__ import annotations

from bot.core.clock import SystemClock


class Watch(SystemClock):
    """Goes on while nobody looks, as when a bot is suspended: it is `ahead` when that one wakes."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Hurry(SystemClock):
    """Waits a hundredth of what it is asked for: for tests that do not look meanwhile."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 100)
