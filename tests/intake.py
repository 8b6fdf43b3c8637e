"""How a platform under test is run, and what it takes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from bot.core.ports import EventSink, Platform
from bot.core.types import ButtonPress, Happening, IncomingMessage, StopPressed
from bot.errors import StoreBusy
from tests.patience import PATIENCE


class Inbox:
    """A sink that remembers what was committed.

    The next `refusals` offers are refused, as by a database that is locked.
    """

    def __init__(self, *, refusals: float = 0) -> None:
        self.events: list[Happening] = []
        self.refusals = refusals
        self.refused = 0
        self._news = asyncio.Event()

    async def __call__(self, event: Happening) -> None:
        self._news.set()
        if self.refusals > 0:
            self.refusals -= 1
            self.refused += 1
            raise StoreBusy("locked")
        self.events.append(event)

    @property
    def texts(self) -> list[str]:
        """What was written."""
        return [event.text for event in self.events if isinstance(event, IncomingMessage)]

    async def holds(self, count: int = 1) -> list[Happening]:
        """The events, as soon as there are so many."""
        await self._until(lambda: len(self.events) >= count)
        return self.events

    async def heard(self, count: int = 1) -> IncomingMessage:
        """The newest event, a message, as soon as there are so many."""
        await self.holds(count)
        return self.message()

    async def has_refused(self) -> None:
        """Return when an event has been refused."""
        await self._until(lambda: self.refused > 0)

    async def only(self) -> IncomingMessage:
        """The only event, which is a message; it is taken out."""
        (event,) = await self.holds()
        self.events.clear()
        assert isinstance(event, IncomingMessage)
        return event

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

    async def _until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def listening(platform: Platform, sink: EventSink) -> AsyncGenerator[None]:
    """The platform is connected, and takes in what happens while the block runs."""
    ready = asyncio.Event()
    task = asyncio.create_task(platform.run(sink, ready.set))
    try:
        async with asyncio.timeout(PATIENCE):
            await ready.wait()
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()
