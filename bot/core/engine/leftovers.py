"""Messages that an earlier attempt posted and did not write down, since its process died before."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from bot.core.bounded import Memory
from bot.core.ports import Platform
from bot.core.queue import Turn
from bot.core.stores import Stores
from bot.core.types import ChatRef, IncomingMessage, MessageRef

CHATS = 10_000
"""Chats of which it is remembered that they were looked through; in others it is done once more."""


class Leftovers:
    """Deletes such messages, but not in the `busy` chats, where a turn is being worked on."""

    def __init__(
        self, platforms: Mapping[str, Platform], stores: Stores, busy: Collection[ChatRef]
    ) -> None:
        self._platforms = platforms
        self._turns = stores.turns
        self._broadcasts = stores.broadcasts
        self._busy = busy
        self._tidied: Memory[ChatRef, asyncio.Lock] = Memory(CHATS)

    async def tidy(self, turn: Turn, shown: Sequence[MessageRef], *, ours: bool) -> None:
        """Delete what an earlier attempt may have posted, before this one does anything.

        It is looked for once in each chat, before the first turn there that was accepted by an
        earlier process (not `ours`); and before every further attempt of a turn, since another
        process may have worked on it.
        """
        chat = turn.chat
        if chat in self._busy or (ours and (turn.urgent or turn.attempt == 1)):
            return
        looking = self._tidied.get(chat)
        if looking is not None and not ours and turn.attempt == 1:
            async with looking:
                return
        if looking is None:
            looking = asyncio.Lock()
            self._tidied.put(chat, looking)
        async with looking:
            await self._sweep(turn, shown)

    async def tidy_again(self, turn: Turn, shown: Sequence[MessageRef]) -> None:
        """Delete what this attempt may have posted in a call whose outcome is unknown.

        An urgent turn does not where another one is posting.
        """
        if not turn.urgent or turn.chat not in self._busy:
            await self._sweep(turn, shown)

    async def _sweep(self, turn: Turn, shown: Sequence[MessageRef]) -> None:
        chat, event = turn.chat, turn.event
        asked = event.ref if isinstance(event, IncomingMessage) else None
        after = [ref for ref in (turn.stood, asked) if ref is not None]
        if after:
            platform = self._platforms[chat.platform]
            told = await self._broadcasts.posted(platform.lobby(chat))
            keep = {*await self._turns.known_messages(turn.id), *told, *shown}
            await platform.sweep(chat, after=after, keep=keep)
