"""The line "Chinwag ✍️…" under a thread while the bot is at work.

It shows where the app is an agent, and expires after two minutes (docs.slack.dev,
"assistant.threads.setStatus"). It is set and cleared beside the work, which never waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
        over = asyncio.Event()
        task = asyncio.create_task(self._show(channel, thread, over))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            yield
        finally:
            over.set()

    async def close(self) -> None:
        """Let the last lines be cleared."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _show(self, channel: str, thread: str, over: asyncio.Event) -> None:
        """Set the line until it is over, then clear it: one call after the other."""
        while not over.is_set() and await self._set(channel, thread, AT_WORK):
            waits = [
                asyncio.ensure_future(self._clock.sleep(REFRESH)),
                asyncio.ensure_future(over.wait()),
            ]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
            if over.is_set():
                await self._set(channel, thread, "")

    async def _set(self, channel: str, thread: str, status: str) -> bool:
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
        else:
            return True
        return False
