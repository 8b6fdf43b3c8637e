"""A clock of which a test says how far it has gone on."""

from __future__ import annotations

from bot.core.clock import SystemClock


class Watch(SystemClock):
    """Goes on while nobody looks, as when a bot is suspended: it is `ahead` when that one wakes."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead
