"""Work in the background that nobody waits for, and that does not outlive whoever sent it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


class Errands:
    """Runs work beside everything else; the work sees to its own errors."""

    def __init__(self) -> None:
        # Kept, since the event loop alone does not keep a task from being collected.
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin the work; returns at once."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, *, patience: float = 0.0) -> None:
        """Drop what is not done after `patience` seconds."""
        if self._tasks and patience:
            await asyncio.wait(self._tasks, timeout=patience)
        left = set(self._tasks)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
