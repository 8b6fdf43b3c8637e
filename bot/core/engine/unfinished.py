"""The turns of each chat that this process has accepted or found waiting, and that are not over."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from bot.core.ports import Clock
from bot.core.queue import TurnQueue
from bot.core.types import ChatRef

FORGETS_AFTER = 60.0
"""Seconds between two looks for turns that another process has ended."""


class Unfinished:
    """Remembers them, so that one can wait until all turns of a chat are over."""

    def __init__(self, queue: TurnQueue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._looked_at = clock.monotonic()
        self._turns: dict[ChatRef, set[int]] = {}
        self._ended = asyncio.Condition()

    def add(self, chat: ChatRef, turn_id: int) -> None:
        """A turn was accepted."""
        self._turns.setdefault(chat, set()).add(turn_id)

    def holds(self, chat: ChatRef, turn_id: int) -> bool:
        """Whether the turn is known here; of an earlier process the first of each chat is not."""
        return turn_id in self._turns.get(chat, ())

    def end(self, chat: ChatRef, *turn_ids: int) -> bool:
        """Turns of this chat are over; True when nothing of it is left."""
        left = self._turns.pop(chat, set()) - set(turn_ids)
        if left:
            self._turns[chat] = left
        return not left

    async def ended_elsewhere(self, working: Collection[int]) -> Sequence[tuple[ChatRef, int]]:
        """Turns that are over, though they are not `working` here; asks the database now and then.

        Raises `StoreError`.
        """
        now = self._clock.monotonic()
        if now - self._looked_at < FORGETS_AFTER:
            return []
        self._looked_at = now
        known = [(chat, id) for chat, ids in self._turns.items() for id in ids if id not in working]
        active = await self._queue.active([id for _, id in known])
        return [(chat, id) for chat, id in known if id not in active]

    async def notify(self) -> None:
        """Wake those who wait for an end."""
        async with self._ended:
            self._ended.notify_all()

    async def wait_until_none(self, chat: ChatRef) -> None:
        """Return when nothing of this chat waits or runs any more."""
        async with self._ended:
            await self._ended.wait_for(lambda: chat not in self._turns)
