"""Messages whose post got no answer: Telegram may have posted them all the same.

The Bot API has no key by which a post could be repeated safely, and no way to list messages. But
ids grow, and `whose` tells what an id stands for: so the message is looked for behind the newest
that is known. While that goes on no other call is made in its chat, topics included. So what is
found there is the one message that was to be posted, unless another process posts there as well:
where it may, nothing is looked for.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from telegram.error import BadRequest, TelegramError

from bot.core.ports import Clock
from bot.errors import OutcomeUnknown
from bot.platforms.telegram.calls import Caller
from bot.platforms.telegram.errors import is_unchanged, translate
from bot.platforms.telegram.ids import Place
from bot.platforms.telegram.methods import Methods
from bot.platforms.telegram.sweeping import BEHIND, Whose, whose

log = logging.getLogger(__name__)

SETTLING = 1.0
"""Seconds until a call that Telegram is still carrying out can be seen."""
MOST = 20
"""Ids that are tried at most."""


class Receipts:
    """Finds such messages. `alone`: no other process posts in the chats of the bot."""

    def __init__(self, methods: Methods, caller: Caller, clock: Clock, *, alone: bool) -> None:
        self._methods = methods
        self._caller = caller
        self._clock = clock
        self._alone = alone

    async def of(
        self,
        place: Place,
        asked: int,
        post: Callable[[], Awaitable[object]],
        edit: Callable[..., Awaitable[object]],
    ) -> object:
        """What `post` answers; where no answer comes, that of the message that it has posted.

        It is newer than the message `asked`; without one, nothing is looked for. `edit` lets what
        is found say what was to be posted. Raises `TelegramError`.
        """
        try:
            return await post()
        except TelegramError as failure:
            if not isinstance(translate(failure), OutcomeUnknown):
                raise
            if (found := await self._find(place, asked)) is None:
                raise
        log.info("lost message found", extra={"chat": place.chat, "id": found})
        try:
            await edit(message_id=found)
        except BadRequest as failure:
            if not is_unchanged(failure):
                raise
        return {"message_id": found}

    async def _find(self, place: Place, asked: int) -> int | None:
        """The one message of the bot that stands there and is not known; None when in doubt.

        Where this process has posted nothing yet, an earlier one may have.
        """
        newest = self._caller.newest(place.chat)
        if not (self._alone and asked and newest):
            return None
        await self._clock.sleep(SETTLING)
        try:
            found = await self._ours(place, max(asked, newest))
        except TelegramError as failure:
            log.info("lost message not looked for", extra={"error": repr(translate(failure))})
            return None
        return found[0] if len(found) == 1 else None

    async def _ours(self, place: Place, after: int) -> Sequence[int]:
        """The messages of the bot among the next ids; in a private chat also behind a person's."""
        found, id, last = list[int](), after, after + BEHIND
        while id < min(last, after + MOST):
            id += 1
            owner = await whose(self._methods, place, id)
            if owner is Whose.OURS:
                found.append(id)
            if owner is Whose.OTHERS and place.private:
                last = id + BEHIND
        return found
