"""Work in the background that nobody waits for, and that does not outlive whoever sent it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from bot.core.ports import Clock
from bot.core.types import ChatRef
from bot.errors import ChatGone, PlatformError, PlatformPasses

log = logging.getLogger(__name__)

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between the tries of a call while the platform fails."""


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Let work go on beside the block, and end it there."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks, if any, and wait for them; what they raised stays with them."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


async def insist(
    call: Callable[[], Awaitable[object]], chat: ChatRef, clock: Clock, *, failed: str
) -> None:
    """Make a call; again while the platform fails, unless for good. `failed` is for the log."""
    for pause in (*PAUSES, None):
        try:
            await call()
        except ChatGone:
            return
        except PlatformError as error:
            log.warning(failed, extra={"chat": chat.id, "error": repr(error)})
            if pause is None or not isinstance(error, PlatformPasses):
                return
            await clock.sleep(error.retry_after or pause)
        else:
            return


class Errands:
    """Runs work beside everything else. What fails is in the log, and nobody else's business."""

    def __init__(self) -> None:
        # Kept, since the event loop alone does not keep a task from being collected.
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def send(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin the work; returns at once, with what may be waited for (`asyncio.wait`)."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self, *, patience: float = 0.0) -> None:
        """Drop what is not done after `patience` seconds."""
        if self._tasks and patience:
            await asyncio.wait(self._tasks, timeout=patience)
        await cancel(*self._tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("errand failed", exc_info=error)
