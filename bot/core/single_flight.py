"""Work that many ask for at once: done once, and all go on together.

With a lock they would go on one after the other, one in each turn of the event loop; with hundreds
of answers under way the last of them waits for seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class SingleFlight:
    """Runs `work` for whoever asks; who asks while it runs waits for the same run.

    It is given up when nobody waits for it any more.
    """

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._waiting = 0

    async def run(self) -> None:
        """Return when the work is done. Raises what it raises."""
        task = self._task
        if task is None or task.done():
            task = self._task = asyncio.create_task(self._work())
            self._waiting = 0
        self._waiting += 1
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            self._leave(task)
            raise

    def _leave(self, task: asyncio.Task[None]) -> None:
        if task is self._task:
            self._waiting -= 1
            if not self._waiting:
                self._task = None  # whoever comes next begins anew
                task.cancel()
