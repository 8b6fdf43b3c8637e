"""When the next call to a chat may be made: after a pause it asked for, after one that failed."""

from __future__ import annotations

from bot.core.ports import Clock

FIRST_BACKOFF, LAST_BACKOFF = 1.0, 30.0
"""Seconds to wait after a call that failed, doubled each time up to the second."""
PATIENCE = 900.0
"""Seconds of backing off after which it is given up. Pauses that the platform asks for do not
count: after them the text gets through, however long they are."""
SHORTEST_PAUSE = 0.02
"""Seconds of pause at least, when the platform asks for one without a length."""


class Backoff:
    """The pauses after calls that failed, one after the other."""

    def __init__(self) -> None:
        self._last = 0.0
        self._all = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has been tried for long enough."""
        return self._all >= PATIENCE

    def next(self, *, counts: bool = True) -> float:
        """Seconds until the next try; `counts` says that it is not tried for ever."""
        self._last = min(LAST_BACKOFF, self._last * 2) or FIRST_BACKOFF
        self._all += self._last if counts else 0.0
        return self._last

    def reset(self) -> None:
        """A call got through."""
        self._last = self._all = 0.0


class Pace:
    """The pauses of one answer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._blocked_until = self._called_at = self._preview_at = float("-inf")

    @property
    def blocked(self) -> float:
        """Seconds for which nothing may be sent, not even the end; none if not above zero."""
        return self._blocked_until - self._clock.monotonic()

    def until_preview(self, interval: float) -> float:
        """Seconds until a text may be shown, `interval` after the last call; likewise."""
        return max(self._preview_at, self._called_at + interval) - self._clock.monotonic()

    def block(self, seconds: float) -> None:
        """Send nothing for so long."""
        self._blocked_until = self._clock.monotonic() + seconds

    def obey(self, seconds: float, *, only_previews: bool = False) -> None:
        """The platform asks for a pause; `only_previews` where others go first."""
        until = self._clock.monotonic() + max(SHORTEST_PAUSE, seconds)
        if only_previews:
            self._preview_at = until
        else:
            self._blocked_until = until

    def called(self, at: float) -> None:
        """A call has been made that began at this time."""
        self._called_at = at
