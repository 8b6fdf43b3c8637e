"""Counting calls against a limit, by the time at which they reached Telegram at the latest."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

BOT_CALLS = 30
BOT_SECONDS = 1.0
ROUNDING = 1e-6
SPREAD = 0.12
"""The part of a window over which calls that end together are spread, as if they ended in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`burst` calls at once, then `rate` per second."""

    burst: float
    rate: float


class Bucket:
    """A token bucket; may be overdrawn by a call that counts several times."""

    def __init__(self, limit: Limit, now: float) -> None:
        self._limit = limit
        self._level = limit.burst
        self._at = now

    def level(self, now: float) -> float:
        """Calls that may be made now."""
        gained = max(0.0, now - self._at) * self._limit.rate
        return min(self._limit.burst, self._level + gained)

    def is_full(self, now: float) -> bool:
        """Whether no call of the past matters any more."""
        return self.level(now) >= self._limit.burst

    def wait(self, now: float, need: float = 1.0) -> float:
        """Seconds until `need` calls may be made."""
        lacking = need - self.level(now)
        return lacking / self._limit.rate if lacking > ROUNDING else 0.0

    def take(self, now: float, calls: float = 1.0) -> None:
        """Make `calls` calls."""
        self._level = self.level(now) - calls
        self._at = now

    def hold(self, now: float) -> None:
        """Gain nothing for the time up to now.

        A call counts from when it reached Telegram, which is somewhere between its start and its
        end; counting from the end is never too early.
        """
        self._at = max(self._at, now)


class Window:
    """At most `count` calls in any `seconds`; a call counts until so long after its end.

    A call reaches Telegram before it ends, so counting from the end is never too early. Calls that
    end together count as if they had ended one after the other: else all of a crowd would call in
    the same moment of every second, and each take as long as all of them.
    """

    def __init__(self, count: int = BOT_CALLS, seconds: float = BOT_SECONDS) -> None:
        self._count = count
        self._seconds = seconds
        self._apart = SPREAD * seconds / count
        self._under_way = 0
        self._ended: deque[float] = deque()

    def wait(self, now: float, place: int = 1) -> float:
        """Seconds until the caller who stands at `place` in the queue may call."""
        while self._ended and self._ended[0] <= now - self._seconds + ROUNDING:
            self._ended.popleft()
        late = place - (self._count - self._under_way - len(self._ended))
        if late <= 0:
            return 0.0
        rounds, place = divmod(late - 1, self._count)
        end = self._ended[place] if place < len(self._ended) else now
        return end + (rounds + 1) * self._seconds - now

    def begin(self, calls: int) -> None:
        """A call that counts `calls` times leaves."""
        self._under_way += calls

    def end(self, now: float, calls: int) -> None:
        """It was answered, or failed."""
        self._under_way -= calls
        for _ in range(calls):
            last = self._ended[-1] if self._ended else float("-inf")
            self._ended.append(max(now, last + self._apart))
