"""What an attempt may have posted without writing it down: its process died in between."""

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
    """Takes such messages away, before they would stand in the chat for good.

    `busy` are the chats in which a turn is being worked on: what it posts is not to be touched.
    """

    def __init__(
        self, platforms: Mapping[str, Platform], stores: Stores, busy: Collection[ChatRef]
    ) -> None:
        self._platforms = platforms
        self._turns = stores.turns
        self._broadcasts = stores.broadcasts
        self._busy = busy
        self._tidied: Memory[ChatRef, asyncio.Lock] = Memory(CHATS)

    async def tidy(self, turn: Turn, shown: Sequence[MessageRef], *, ours: bool) -> None:
        """Take away what an attempt before this one may have posted without writing it down.

        A process may die between a post and its commit: then there is a message in the chat that
        nobody knows. In a chat it is looked for once, before the first turn that an earlier process
        left behind does anything; and before every further attempt of any turn: another process
        may have been lost, or have shown things while it could not write them down.
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
        """Look for what was posted without an answer; beside another turn's posts it is let be."""
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
