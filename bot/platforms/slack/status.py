"""The line "Chinwag ✍️…" under a thread while the bot is at work.

It shows where the app is an agent, and expires after two minutes (docs.slack.dev,
"assistant.threads.setStatus"). It is set and cleared beside the work, which never waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from bot.core.ports import Clock
from bot.errors import PlatformError
from bot.platforms.slack.calls import Calls
from bot.platforms.slack.errors import Refused
from bot.platforms.slack.pace import Urgency

log = logging.getLogger(__name__)

AT_WORK = "✍️…"
"""Slack puts the app's name before it; no words, so it needs no translation."""
REFRESH = 100.0
METHOD = "assistant.threads.setStatus"
NOT_HERE = frozenset({"missing_scope", "unknown_method", "not_allowed_token_type"})


class Status:
    """Shows that the bot is at work, where it can be shown."""

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._works = True
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def shown(self, channel: str, thread: str) -> AsyncIterator[None]:
        """Show the line while the block runs. Neither waits nor raises."""
        if not thread or not self._works:
            yield
            return
        showing = self._beside(self._keep(channel, thread))
        try:
            yield
        finally:
            showing.cancel()
            self._beside(self._clear_after(showing, channel, thread))

    async def close(self) -> None:
        """Let the last lines be cleared."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _keep(self, channel: str, thread: str) -> None:
        while self._works:
            await self._set(channel, thread, AT_WORK)
            await self._clock.sleep(REFRESH)

    async def _clear_after(self, showing: asyncio.Task[None], channel: str, thread: str) -> None:
        await asyncio.wait({showing})
        await self._set(channel, thread, "")

    async def _set(self, channel: str, thread: str, status: str) -> None:
        async def make() -> object:
            return await self._calls.client.assistant_threads_setStatus(
                channel_id=channel, thread_ts=thread, status=status
            )

        try:
            await self._calls.paced(METHOD, make, channel=channel, urgency=Urgency.TYPING)
        except Refused as refusal:
            self._works = refusal.code not in NOT_HERE
            log.info("status not shown", extra={"code": refusal.code})
        except PlatformError as error:
            log.info("status not shown", extra={"error": repr(error)})

    def _beside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
