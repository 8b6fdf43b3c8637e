"""Chats that could not be looked through for lost messages, since their platform failed.

They are looked through later, also by the next process; by then between the messages that were
known before and after what was lost: of later ones nobody knows all files.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bot.core.clock import within
from bot.core.ports import Clock, Platform
from bot.core.queue import Search, Turn
from bot.core.stores import Stores
from bot.core.types import MessageRef
from bot.errors import PlatformError, PlatformPasses, StoreError

log = logging.getLogger(__name__)

FIRST = 60.0
"""Seconds after the start: by then the platforms are connected."""
AGAIN = 900.0
"""Seconds between two rounds."""
LONGEST = 30.0
"""Seconds that one chat is looked through at most, with all tries."""
KEPT = 200
"""Known messages that are remembered with a search, the newest."""


class Searches:
    """Remembers which, and looks through them."""

    def __init__(self, platforms: Mapping[str, Platform], stores: Stores, clock: Clock) -> None:
        self._platforms = platforms
        self._turns = stores.turns
        self._broadcasts = stores.broadcasts
        self._clock = clock
        self._begun: dict[int, Search] = {}

    def put_off(
        self,
        turn: Turn,
        after: Sequence[MessageRef],
        keep: Collection[MessageRef],
        before: Collection[MessageRef] = (),
    ) -> None:
        """The chat of a turn is to be looked through later; from now on the turn posts."""
        self._begun[turn.id] = Search(
            chat=turn.chat, after=tuple(after), keep=tuple(keep), before=tuple(before)
        )

    def drop(self, turn: Turn) -> None:
        """It was looked through, or is to be by the next attempt of the turn."""
        self._begun.pop(turn.id, None)

    async def write_down(self, turn: Turn, shown: Sequence[MessageRef]) -> None:
        """A turn has come to its end: what is known since its search was put off is newer.

        While it is not written down, the turn is not over either, and looks again by itself.
        """
        search = self._begun.pop(turn.id, None)
        if search is None:
            return
        fields = {"chat": turn.chat.id, "turn": turn.id}
        try:
            known = {*await self._turns.known_messages(turn.id), *shown}
            before = (*search.before, *known.difference(search.keep))
            if before:
                newest = search.keep[:KEPT]
                await self._turns.put_off(turn.id, replace(search, before=before, keep=newest))
                log.warning("looking for lost messages put off", extra=fields)
            else:
                log.warning("looking for lost messages given up", extra=fields)
        except StoreError as error:
            log.warning("search not written down", extra={**fields, "error": repr(error)})

    async def run(self) -> None:
        """Look through what was put off, now and then, until cancelled."""
        await self._clock.sleep(FIRST)
        while True:
            try:
                await self._look_through_all()
            except StoreError as error:
                log.warning("searches not read", extra={"error": repr(error)})
            await self._clock.sleep(AGAIN)

    async def _look_through_all(self) -> None:
        """One round; with a platform that still fails it is over at once."""
        failing = set[str]()
        for turn_id, search in await self._turns.searches():
            name = search.chat.platform
            if name in failing or name not in self._platforms:
                continue
            if await self._look_through(search):
                await self._turns.searched(turn_id)
            else:
                failing.add(name)

    async def _look_through(self, search: Search) -> bool:
        """Whether it is done, or can never be."""
        chat, platform = search.chat, self._platforms[search.chat.platform]
        fields = {"platform": chat.platform, "chat": chat.id}
        # A broadcast may have come after the search was put off, and before what the turn posted.
        keep = (*search.keep, *await self._broadcasts.posted(platform.lobby(chat)))
        look = platform.sweep(chat, after=search.after, keep=keep, before=search.before)
        try:
            is_done = await within(self._clock, LONGEST, look)
        except PlatformError as error:
            log.info("still not swept", extra={**fields, "error": repr(error)})
            return not isinstance(error, PlatformPasses)
        except Exception:  # a bug: other chats are looked through all the same
            log.exception("search failed", extra=fields)
            return True
        if is_done:
            log.info("swept after all", extra=fields)
        return is_done
