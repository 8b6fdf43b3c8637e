"""How often the answers under way are read.

To read every event as it comes takes a third of all that an answer takes, and nobody sees it: a
screen changes once a second. So of many answers each is read less often, several events at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

EACH = 0.001
"""Seconds of pause for every other answer that is being read: a thousand reads a second."""
LONGEST = 0.25
"""Seconds of pause at most: an end is shown so much later."""


class Cadence:
    """Counts the answers that are being read."""

    def __init__(self) -> None:
        self._reading = 0

    @contextmanager
    def reading(self) -> Iterator[Callable[[], float]]:
        """Inside, an answer is read; tells for how many seconds to gather its events first."""
        self._reading += 1
        try:
            yield self._pause
        finally:
            self._reading -= 1

    def _pause(self) -> float:
        return min(LONGEST, EACH * (self._reading - 1))
