"""Finding messages of the bot whose ids nobody wrote down: a process died right after posting them.

The Bot API has no way to list messages. But an attempt to take the buttons away from a message
tells whether it is the bot's own, and changes nothing else: what is not there, or is somebody
else's, is refused in other words than what has no buttons (TDLib, MessagesManager.cpp). Ids grow
by one from message to message, in private chats over all of them together, so a lost message is
looked for right behind those that are known, and then behind those that are found. In a busy bot it
may lie further away; then it stays.

Nor is anything lost behind a message that nobody tells of: the database is a copy of before, and
what the bot has said since stays. In a group that may also be what the bot never hears of, or heard
before it was started anew: of that only what was said to it is in the database.

The topics of a forum share the ids of their group. What stands in another topic would be taken for
lost, so there nothing is looked for: an answer that stands there twice is better than one deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum, auto
from functools import partial

from telegram.error import BadRequest

from bot.platforms.telegram.calls import Caller
from bot.platforms.telegram.errors import is_not_ours, is_unchanged
from bot.platforms.telegram.ids import Place
from bot.platforms.telegram.methods import Methods
from bot.platforms.telegram.told import Told

BEHIND = 4
"""Ids that are tried behind each known one."""
TRIES = 60


class Whose(Enum):
    """Whose message an id stands for."""

    OURS = auto()
    OTHERS = auto()
    NONE = auto()


async def whose(methods: Methods, place: Place, id: int) -> Whose:
    """Whose message an id stands for; one of ours loses its buttons. Raises `TelegramError`."""
    try:
        await methods.call("editMessageReplyMarkup", chat_id=place.chat, message_id=id)
    except BadRequest as failure:
        if is_unchanged(failure):
            return Whose.OURS
        return Whose.OTHERS if is_not_ours(failure) else Whose.NONE
    return Whose.OURS


def suspects(after: int, known: Collection[int]) -> Sequence[int]:
    """The ids at which a lost message may be, newer than `after`."""
    landmarks = {after, *(id for id in known if id > after)}
    near = {mark + step for mark in landmarks for step in range(1, BEHIND + 1)}
    return sorted(near - set(known))


class Sweeper:
    """Deletes lost messages. Raises `PlatformError` and its kinds."""

    def __init__(self, methods: Methods, caller: Caller, told: Told) -> None:
        self._methods = methods
        self._caller = caller
        self._told = told

    async def sweep(
        self, place: Place, after: int, known: Collection[int], *, before: int | None
    ) -> int:
        """Delete what the bot posted after a message and nobody knows of; returns how many.

        And `before` another one, where it is given.
        """
        if await self._has_topics(place):
            return 0
        found = await self._find(place, after, known, before)
        for id in found:
            delete = partial(self._methods.delete, place, [id])
            await self._caller.aside(delete, about=place)
        return len(found)

    async def _find(
        self, place: Place, after: int, known: Collection[int], before: int | None
    ) -> Sequence[int]:
        """The lost messages.

        What people have written in a private chat is not known before Telegram tells of it, and
        something may be lost behind that, too. In groups there may be much of it, never told.
        """
        found, tried, standing = list[int](), set[int](), set(known)
        while len(tried) < TRIES:
            untried = (id for id in suspects(after, standing) if id not in tried)
            id = next(untried, None)
            if id is None or (before is not None and id >= before):
                break
            tried.add(id)
            ask = partial(whose, self._methods, place, id)
            owner = await self._caller.aside(ask, about=place)
            if owner is Whose.OTHERS and not await self._told.of(place, id):
                break
            if owner is Whose.OURS:
                found.append(id)
            if owner is Whose.OURS or (owner is Whose.OTHERS and place.private):
                standing.add(id)
        return found

    async def _has_topics(self, place: Place) -> bool:
        if place.topic is not None or place.private:
            return place.topic is not None
        ask = partial(self._methods.call, "getChat", chat_id=place.chat)
        group = await self._caller.aside(ask, about=place)
        return isinstance(group, dict) and bool(group.get("is_forum"))
