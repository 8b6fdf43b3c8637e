"""Messages that an earlier attempt posted and did not write down, since its process died before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from bot.core.clock import within
from bot.core.engine.searches import LONGEST, Searches
from bot.core.lru import LruCache
from bot.core.ports import Clock, Platform
from bot.core.queue import Turn
from bot.core.stores import Stores
from bot.core.types import ChatRef, IncomingMessage, MessageRef
from bot.errors import PlatformError, PlatformPasses

log = logging.getLogger(__name__)

CHATS = 10_000
"""Chats of which it is remembered that they were looked through; in others it is done once more."""
QUICK = 10.0
"""Seconds in which what passes by the answer of a chat has surely said all it has to say."""
PAUSES = (0.5, 2.0, 5.0)
"""Seconds between the tries to look through a chat when the platform fails; `LONGEST` in all. The
answer waits for that. Then the search is put off."""


class Leftovers:
    """Deletes such messages.

    What a turn posts between its `begin` and its `end` is not to be touched: meanwhile nothing is
    looked for in its chat, and no turn begins there while something is.
    """

    def __init__(
        self,
        platforms: Mapping[str, Platform],
        stores: Stores,
        searches: Searches,
        clock: Clock,
    ) -> None:
        self._platforms = platforms
        self._searches = searches
        self._turns = stores.turns
        self._broadcasts = stores.broadcasts
        self._clock = clock
        self._working: dict[ChatRef, dict[int, bool]] = {}  # whether each turn is urgent
        self._tidying = set[int]()  # of these, those that look for something, or wait to do so
        self._fewer = asyncio.Event()
        self._sweeping: WeakValueDictionary[ChatRef, asyncio.Lock] = WeakValueDictionary()
        self._tidied: LruCache[ChatRef, bool] = LruCache(CHATS)

    async def begin(self, turn: Turn) -> None:
        """A turn is worked on from now on."""
        await self._swept(turn.chat)
        self._working.setdefault(turn.chat, {})[turn.id] = turn.urgent

    def end(self, turn: Turn) -> None:
        """It posts nothing any more."""
        self._searches.drop(turn)
        working = self._working[turn.chat]
        del working[turn.id]
        if not working:
            del self._working[turn.chat]
        self._notify()

    async def _swept(self, chat: ChatRef) -> None:
        """Wait until nothing is looked for in a chat."""
        while (sweeping := self._sweeping.get(chat)) is not None and sweeping.locked():
            async with sweeping:
                pass

    def _notify(self) -> None:
        """Fewer turns may be posting something than before."""
        self._fewer.set()
        self._fewer.clear()  # who waits by now has heard it

    async def tidy(self, turn: Turn, shown: Sequence[MessageRef], *, ours: bool) -> None:
        """Delete what an earlier attempt may have posted, before this one does anything.

        It is looked for once in each chat, before the first turn there that was accepted by an
        earlier process (not `ours`); and before every further attempt of a turn, since another
        process may have worked on it. Not before the first attempt of an urgent turn: a process
        that lives may have accepted it just now, and be writing the answer of the chat.
        """
        is_first = turn.attempt == 1
        if (turn.urgent and is_first) or (ours and (turn.urgent or is_first)):
            return
        if not all(self._others(turn)):
            return
        if is_first and self._tidied.get(turn.chat):
            await self._swept(turn.chat)
        else:
            self._tidied.put(turn.chat, True)
            await self.tidy_again(turn, shown)

    async def tidy_again(
        self,
        turn: Turn,
        shown: Sequence[MessageRef],
        gap: tuple[MessageRef, MessageRef] | None = None,
    ) -> None:
        """Delete what this attempt may have posted in a call whose outcome is unknown.

        Or what was posted in a `gap` between two messages. Not while the chat is being answered by
        another turn.
        """
        sweeping = self._sweeping.setdefault(turn.chat, asyncio.Lock())
        self._tidying.add(turn.id)
        self._notify()
        try:
            async with sweeping:
                if await self._is_alone(turn):
                    await self._sweep(turn, shown, gap)
        finally:
            self._tidying.discard(turn.id)

    async def _is_alone(self, turn: Turn) -> bool:
        """Wait until no other turn is worked on in the chat; False when that takes long."""

        async def end() -> None:
            while self._others(turn):
                await self._fewer.wait()

        return all(self._others(turn)) and await within(self._clock, QUICK, end())

    def _others(self, turn: Turn) -> list[bool]:
        """The other turns that are worked on in the chat: whether each is urgent.

        Not urgent ones that would look for what they have lost, which is found for them.
        """
        working = self._working.get(turn.chat, {})
        return [
            urgent
            for id, urgent in working.items()
            if id != turn.id and not (urgent and id in self._tidying)
        ]

    async def _sweep(
        self,
        turn: Turn,
        shown: Sequence[MessageRef],
        gap: tuple[MessageRef, MessageRef] | None,
    ) -> None:
        chat, event = turn.chat, turn.event
        asked = event.ref if isinstance(event, IncomingMessage) else None
        newest = [ref for ref in (turn.stood, asked) if ref is not None]
        after, before = (newest, ()) if gap is None else (gap[:1], gap[1:])
        if after:
            platform = self._platforms[chat.platform]
            told = await self._broadcasts.posted(platform.lobby(chat))
            keep = dict.fromkeys((*shown, *await self._turns.known_messages(turn.id), *told))
            look = partial(platform.sweep, chat, after=after, keep=keep, before=before)
            self._searches.put_off(turn, after, keep, before)
            if not await within(self._clock, LONGEST, self._try(turn, look)):
                log.info("not swept in time", extra={"chat": chat.id})

    async def _try(self, turn: Turn, look: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Look through a chat; again when the platform fails, since what is lost stays for good."""
        for pause in (*PAUSES, None):
            try:
                await look()
            except PlatformError as error:
                log.info("not swept", extra={"chat": turn.chat.id, "error": repr(error)})
                if not isinstance(error, PlatformPasses):
                    break
                if pause is None:
                    return
                await self._clock.sleep(max(pause, error.retry_after))
            else:
                break
        self._searches.drop(turn)
