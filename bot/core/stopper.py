"""Stopping the work of a turn, by the person it is for."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

STOP = "stop"
"""The value of the Stop button; it needs no owner, since everybody in a chat may stop."""


class Stopper:
    """Lets a person stop the work of a turn; what stands around the work goes on.

    `stop` cancels only what runs under `guard`, so the answer can still be ended properly.
    """

    def __init__(self, *, stopped: bool = False) -> None:
        self._stopped = stopped
        self._limit: asyncio.Timeout | None = None

    @property
    def stopped(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stopped

    def stop(self) -> None:
        """Stop the guarded work, now or as soon as it begins."""
        if not self._stopped and self._limit is not None:
            self._limit.reschedule(asyncio.get_running_loop().time())
        self._stopped = True

    async def guard(self, work: Coroutine[Any, Any, None]) -> bool:
        """Run `work`; True when it came to its end, False when it was stopped."""
        if self._stopped:
            work.close()
            return False
        limit = self._limit = asyncio.timeout(None)
        try:
            async with limit:
                await work
        except TimeoutError:
            if limit.expired():
                return False
            raise
        finally:
            self._limit = None
        return True
