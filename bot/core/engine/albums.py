"""Albums: several pictures sent at once, or a long text, of which each part is a message.

Each message is committed as it comes, as a turn of its own. When the turn of the first is begun, it
waits until no more messages come, and the others join it. So a kill at any moment loses none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.core.clock import heard_within
from bot.core.ports import Clock
from bot.core.queue import Turn, album_of
from bot.core.types import ChatRef, IncomingMessage

QUIET = 0.7
"""Seconds without another picture after which an album is whole: Telegram sends its updates at
once, but they may come in two batches."""
OLD = 60.0
"""Seconds after which nobody waits for an album any more."""


def members(lead: IncomingMessage, following: Sequence[Turn]) -> list[Turn]:
    """The other turns of the album that `lead` begins."""
    album = (lead.album, lead.sender.id)
    return [turn for turn in following if (album_of(turn.event), turn.event.sender.id) == album]


class Albums:
    """Knows when the last message of each album came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heard: dict[tuple[ChatRef, str], float] = {}
        self._declined: dict[tuple[ChatRef, str], float] = {}
        self._news = asyncio.Event()

    def note(self, chat: ChatRef, album: str) -> bool:
        """A message of an album came; True when it was not the first."""
        now, key = self._clock.monotonic(), (chat, album)
        is_known = key in self._heard
        self._heard = {one: at for one, at in self._heard.items() if now - at < OLD}
        self._heard[key] = now
        self._news.set()
        self._news.clear()  # who waits by now has heard it
        return is_known

    def decline(self, chat: ChatRef, album: str) -> None:
        """A message of an album was declined: so are the others, also if there is room by then."""
        now = self._clock.monotonic()
        self._declined = {one: at for one, at in self._declined.items() if now - at < OLD}
        self._declined[chat, album] = now

    def is_declined(self, chat: ChatRef, album: str) -> bool:
        """Whether that has happened a short while ago."""
        return (chat, album) in self._declined

    def knows(self, chat: ChatRef, album: str) -> bool:
        """Whether messages of this album have come a short while ago."""
        return (chat, album) in self._heard

    async def wait_until_whole(self, chat: ChatRef, album: str) -> None:
        """Wait until the album is whole: no message has come for `QUIET` seconds."""
        began, key = self._clock.monotonic(), (chat, album)
        while (left := self._heard.get(key, began) + QUIET - self._clock.monotonic()) > 0:
            await heard_within(self._clock, left, self._news.wait)
