"""Groups that became supergroups, and where to write instead.

Telegram tells with a service message, and with the error of every call to the old group
(https://core.telegram.org/bots/api#responseparameters). The messages of the old group are there to
be read, but cannot be edited or deleted any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.core.lru import LruCache
from bot.core.types import ChatRef, MessageRef
from bot.errors import MessageGone
from bot.platforms.telegram.ids import Place, make_chat, parse_chat, parse_message

T = TypeVar("T")

MOVES = 1_000
"""Groups of which it is remembered; of others Telegram tells again."""


class GroupMoved(MessageGone):
    """The group is a supergroup now, with the id `now`."""

    def __init__(self, text: str, *, now: int) -> None:
        super().__init__(text)
        self.now = now


class Moves:
    """Where each group went, as far as this process has heard."""

    def __init__(self) -> None:
        self._now: LruCache[int, int] = LruCache(MOVES)

    def note(self, old: int, now: int) -> None:
        """A group has another id."""
        self._now.put(old, now)

    def chat(self, chat: ChatRef) -> ChatRef:
        """The chat as it is called now."""
        old = parse_chat(chat)
        now = self._now.get(old.chat)
        return chat if now is None else make_chat(now, old.topic)

    def place(self, chat: ChatRef) -> Place:
        """Where to post what is meant for a chat."""
        return parse_chat(self.chat(chat))

    def message(self, ref: MessageRef) -> tuple[Place, int]:
        """Where a message stands. Raises `GroupMoved` when that cannot be reached any more."""
        place = parse_chat(ref.chat)
        if (now := self._now.get(place.chat)) is not None:
            raise GroupMoved("the message stands in the group as it was before", now=now)
        return place, parse_message(ref)

    async def posted(self, post: Callable[[], Awaitable[T]]) -> T:
        """Post something; once more when the group turns out to be another by now."""
        try:
            return await post()
        except GroupMoved:
            return await post()
