"""Chats that get another id while the bot is in them: all that belongs to them is carried over."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.core.access import Gate
from bot.core.stores import Moves
from bot.core.types import ChatId, ChatMoved, ChatRef

log = logging.getLogger(__name__)

MOVES = 1_000
"""Chats whose earlier ids are remembered, for turns that were begun before the chat moved."""


class MovedChats:
    """Carries over what belongs to a chat, and knows how chats are called now."""

    def __init__(self, moves: Moves, gate: Gate) -> None:
        self._moves = moves
        self._gate = gate
        self._new: dict[ChatRef, ChatRef] = {}

    async def take_in(self, moved: ChatMoved) -> None:
        """Carry over everything; done on return. Raises `StoreError`."""
        old, new = moved.old, moved.new
        await self._gate.refresh()
        is_let_in = await self._gate.follow(old, new)
        pairs = [(old, new)]
        if moved.threads:
            for each in await self._moves.threads(old):
                renamed = ChatId(new.id + each.id.removeprefix(old.id))
                pairs.append((each, replace(each, id=renamed)))
        if any([await self._moves.move(*pair) for pair in pairs]) or is_let_in:
            log.warning(
                "a group has another id",
                extra={
                    "platform": old.platform,
                    "chat": old.id,
                    "now": new.id,
                    "fix": "where the configuration names the old id, name the new one",
                },
            )
        self._new |= dict(pairs)
        while len(self._new) > MOVES:
            del self._new[next(iter(self._new))]

    def now(self, chat: ChatRef) -> ChatRef:
        """What a chat is called now."""
        return self._new.get(chat, chat)

    def names(self, chat: ChatRef) -> tuple[ChatRef, ...]:
        """A chat, and what it was called before."""
        return (chat, *(old for old, new in self._new.items() if new == chat))
