"""The adapter while it runs: connected to the sandbox, with a sink that writes down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.core.clock import SystemClock
from bot.core.queue import TurnQueue
from bot.core.stores import Users
from bot.core.types import (
    ButtonPress,
    Happening,
    IncomingMessage,
    StopPressed,
)
from bot.errors import StoreError
from bot.platforms.slack.adapter import SlackPlatform
from bot.sandbox.slack.server import SlackSandbox
from tests.platforms.slack.stage import platform_for


@dataclass(slots=True)
class Inbox:
    """A sink that commits to a list; `refusing` plays a database that is locked."""

    events: list[Happening] = field(default_factory=list)
    refusing: bool = False
    refused: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, event: Happening) -> None:
        self._news.set()
        if self.refusing:
            self.refused += 1
            raise StoreError("locked")
        self.events.append(event)

    async def holds(self, count: int) -> None:
        """Return when so many events have been committed."""
        async with asyncio.timeout(5):
            while len(self.events) < count:
                self._news.clear()
                await self._news.wait()

    async def has_refused(self) -> None:
        """Return when an event has been refused."""
        async with asyncio.timeout(5):
            while not self.refused:
                self._news.clear()
                await self._news.wait()

    def message(self, at: int = -1) -> IncomingMessage:
        event = self.events[at]
        assert isinstance(event, IncomingMessage)
        return event

    def press(self, at: int = -1) -> ButtonPress:
        event = self.events[at]
        assert isinstance(event, ButtonPress)
        return event

    def stop(self, at: int = -1) -> StopPressed:
        event = self.events[at]
        assert isinstance(event, StopPressed)
        return event


@dataclass(frozen=True, slots=True)
class Running:
    """A connected platform, its sandbox and its inbox."""

    sandbox: SlackSandbox
    platform: SlackPlatform
    inbox: Inbox

    async def settled(self) -> None:
        """Return when everything that was delivered has been acknowledged."""
        await self.sandbox.wait_for(lambda: not self.sandbox.sockets.unacked)


@asynccontextmanager
async def running(
    sandbox: SlackSandbox, users: Users | None = None, turns: TurnQueue | None = None
) -> AsyncIterator[Running]:
    """Connect, and disconnect at the end."""
    platform = platform_for(sandbox, SystemClock(), users, turns)
    inbox, ready = Inbox(), asyncio.Event()
    task = asyncio.create_task(platform.run(inbox, ready.set))
    try:
        async with asyncio.timeout(5):
            await ready.wait()
        yield Running(sandbox, platform, inbox)
    finally:
        task.cancel()
        await asyncio.wait({task})
        await platform.close()
