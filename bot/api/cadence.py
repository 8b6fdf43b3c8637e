"""How often the answers under way are read.

To read every event as it comes takes a third of all that an answer takes, and nobody sees it: a
screen changes once a second. So of many answers each is read less often, several events at a time;
and still less often while the process is behind: then others wait for their first word. An answer
that is all there is read at once: somebody waits for its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from bot.core.clock import within
from bot.core.ports import Clock

Pause: TypeAlias = Callable[[asyncio.Event], Awaitable[None]]
"""Waits before an answer is read on, but not when the event says that all of it is there."""

EACH = 0.002
"""Seconds of pause for every other answer that is being read: five hundred reads a second."""
LONGEST = 0.5
"""Seconds of pause at most."""
LATE = 10.0
"""Seconds that are added to a pause for each second by which pauses have lasted too long lately."""
LONGEST_LATE = 0.75
"""Seconds at most that are added because of that."""
SMOOTHING = 0.1
"""The weight of the newest pause in the average of how much too long they last."""


class Cadence:
    """Counts the answers that are being read, and sees how far behind the process is."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reading = 0
        self._behind = 0.0

    @contextmanager
    def reading(self) -> Iterator[Pause]:
        """Inside, an answer is read; what it yields waits until it is its turn again."""
        self._reading += 1
        try:
            yield self._pause
        finally:
            self._reading -= 1

    async def _pause(self, complete: asyncio.Event) -> None:
        if self._reading < 2 or complete.is_set():
            return
        seconds = min(LONGEST, EACH * (self._reading - 1))
        seconds += min(LONGEST_LATE, LATE * self._behind)
        due = self._clock.monotonic() + seconds
        if not await within(self._clock, seconds, complete.wait()):
            self._behind += SMOOTHING * (self._clock.monotonic() - due - self._behind)
