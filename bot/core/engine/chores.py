"""Work that nobody waits for, done after a turn: a title for the conversation, a summary.

A chore that is lost to a restart is done after the next turn: each looks first whether it is
still wanted.
"""

from __future__ import annotations

import asyncio
import logging
from weakref import WeakValueDictionary

from bot.core.errands import Errands
from bot.core.memory.summing import sum_up
from bot.core.memory.titles import entitle
from bot.core.queue import Outcome, Turn
from bot.core.services import Services
from bot.core.types import ChatRef
from bot.errors import StoreError

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Chores that run beside each other: the API is for those who wait."""
DAY = 86_400.0
WAITING = 200
"""Chores that wait; of more, the newest are left for the next turn."""


class Chores:
    """Does the chores; `close` drops what is not done."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._chats: WeakValueDictionary[ChatRef, asyncio.Lock] = WeakValueDictionary()
        self._errands = Errands()
        self._tidied = float("-inf")

    def after(self, turn: Turn, outcome: Outcome) -> None:
        """Begin what a finished turn gives reason for; returns at once."""
        if outcome.messages and len(self._errands) < WAITING:
            self._errands.send(self._do(turn, outcome.conversation))

    async def _do(self, turn: Turn, conversation: int | None) -> None:
        # One after the other in a chat: two would sum up the same, and one be paid for nothing.
        async with self._chats.setdefault(turn.chat, asyncio.Lock()), self._turns:
            try:
                await self._tidy()
                if conversation is None:
                    conversation = await self._services.stores.conversations.current(turn.chat)
                await entitle(self._services, conversation, turn.event.sender.id)
                await sum_up(self._services, turn, conversation)
            except StoreError as error:
                log.warning("chore not done", extra={"turn": turn.id, "error": repr(error)})

    async def _tidy(self) -> None:
        """Once a day, see to it that who asked to be forgotten is."""
        now = self._services.clock.monotonic()
        if now - self._tidied >= DAY:
            self._tidied = now
            await self._services.stores.privacy.tidy()

    async def close(self) -> None:
        """Drop what is not done."""
        await self._errands.close()
