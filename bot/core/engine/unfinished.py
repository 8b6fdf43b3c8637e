"""The turns of each chat that this process has accepted and that are not over."""

from __future__ import annotations

import asyncio

from bot.core.types import ChatRef


class Unfinished:
    """Counts them, and lets somebody wait for the end of all."""

    def __init__(self) -> None:
        self._turns: dict[ChatRef, set[int]] = {}
        self._ended = asyncio.Condition()

    def add(self, chat: ChatRef, turn_id: int) -> None:
        """A turn was accepted."""
        self._turns.setdefault(chat, set()).add(turn_id)

    def holds(self, chat: ChatRef, turn_id: int) -> bool:
        """Whether the turn was accepted here; those of an earlier process never were."""
        return turn_id in self._turns.get(chat, ())

    def end(self, chat: ChatRef, *turn_ids: int) -> bool:
        """Turns of this chat are over; True when nothing of it is left."""
        left = self._turns.pop(chat, set()) - set(turn_ids)
        if left:
            self._turns[chat] = left
        return not left

    async def tell(self) -> None:
        """Wake who waits for an end."""
        async with self._ended:
            self._ended.notify_all()

    async def none(self, chat: ChatRef) -> None:
        """Return when nothing of this chat waits or runs any more."""
        async with self._ended:
            await self._ended.wait_for(lambda: chat not in self._turns)
