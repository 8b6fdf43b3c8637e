"""Which messages Telegram has told of since the start of the process.

What neither is in the database nor comes after the start was told to a bot with another database:
this one is a copy of before, and what the bot has said since is not lost. An edit says nothing of
that: it may be of a message that was told long ago.
"""

from __future__ import annotations

import asyncio

from bot.core.clock import heard_within
from bot.core.lru import LruCache
from bot.core.ports import Clock, EventSink
from bot.core.types import Happening, IncomingMessage
from bot.platforms.telegram.ids import Place, parse_chat, parse_message

MESSAGES = 1_000
"""Messages that are remembered, the newest."""
SOON = 3.0
"""Seconds in which Telegram tells of what was written while no bot was there."""


class Told:
    """Remembers them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids: LruCache[tuple[int, int], bool] = LruCache(MESSAGES)
        self._more = asyncio.Event()

    def note(self, sink: EventSink) -> EventSink:
        """The same sink; what it is handed is remembered."""

        async def noting(event: Happening) -> None:
            if isinstance(event, IncomingMessage) and not event.edited:
                self._ids.put((parse_chat(event.chat).chat, parse_message(event.ref)), True)
                self._more.set()
                self._more.clear()  # who waits by now has heard it
            await sink(event)

        return noting

    async def of(self, place: Place, id: int) -> bool:
        """Whether Telegram has told of a message, or does so soon."""

        async def told() -> None:
            while not self._ids.get((place.chat, id)):
                await self._more.wait()

        return await heard_within(self._clock, SOON, told)
