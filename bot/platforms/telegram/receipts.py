"""Messages whose post got no answer: Telegram may have posted them all the same.

The Bot API has no key by which a post could be repeated safely, and no way to list messages. But
ids grow, and `whose` tells what an id stands for: so the message is looked for behind the newest
that is known. While that goes on no other call is made in its chat, topics included. So what is
found there is the one message that was to be posted, unless another process posts there as well:
where it may, nothing is looked for. Nor where one of another topic has been lost just before, and
was not found: it may be there by now.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from telegram.error import TelegramError

from bot.core.lru import LruCache
from bot.core.ports import Clock
from bot.errors import OutcomeUnknown, PlatformError
from bot.platforms.telegram.calls import CHATS, Caller
from bot.platforms.telegram.errors import translate
from bot.platforms.telegram.ids import Place
from bot.platforms.telegram.methods import Methods
from bot.platforms.telegram.sweeping import BEHIND, Whose, whose

log = logging.getLogger(__name__)

SETTLING = 1.0
"""Seconds until a call that Telegram is still carrying out can be seen."""
MOST = 20
"""Ids that are tried at most."""
LONGEST = 10.0
"""Seconds that are spent on that at most: the answer, and its chat, wait meanwhile."""


class Found(dict[str, object]):
    """A message that was found again, as a method would answer with it. It has no buttons now."""


class Receipts:
    """Finds such messages. `alone`: no other process posts in the chats of the bot."""

    def __init__(self, methods: Methods, caller: Caller, clock: Clock, *, alone: bool) -> None:
        self._methods = methods
        self._caller = caller
        self._clock = clock
        self._alone = alone
        # The last message that was not found in each chat: where it was to be, and what was newest.
        self._lost: LruCache[int, tuple[Place, int | None]] = LruCache(CHATS)

    async def of(self, place: Place, asked: int, post: Callable[[], Awaitable[object]]) -> object:
        """What `post` answers; where no answer comes, the message that it has posted, as `Found`.

        It is newer than the message `asked`; without one, nothing is looked for. Raises
        `TelegramError`.
        """
        try:
            return await post()
        except TelegramError as failure:
            if not isinstance(translate(failure), OutcomeUnknown):
                raise
            if (found := await self._find(place, asked)) is None:
                self._lost.put(place.chat, (place, self._caller.newest(place.chat)))
                raise
        log.info("lost message found", extra={"chat": place.chat, "id": found})
        return Found(message_id=found)

    async def _find(self, place: Place, asked: int) -> int | None:
        """The one message of the bot that stands there and is not known; None when in doubt.

        Where this process has posted nothing yet, an earlier one may have.
        """
        newest = self._caller.newest(place.chat)
        if not (self._alone and asked and newest) or self._may_be_of_another(place, newest):
            return None
        await self._clock.sleep(SETTLING)
        try:
            async with asyncio.timeout(LONGEST):
                found = await self._ours(place, max(asked, newest))
        except (PlatformError, TimeoutError) as failure:
            log.info("lost message not looked for", extra={"error": repr(failure)})
            return None
        return found[0] if len(found) == 1 else None

    def _may_be_of_another(self, place: Place, newest: int) -> bool:
        """Whether what is found now may be what was lost in another topic."""
        lost = self._lost.get(place.chat)
        return lost is not None and lost[0] != place and lost[1] == newest

    async def _ours(self, place: Place, after: int) -> Sequence[int]:
        """The messages of the bot among the next ids; in a private chat also behind a person's."""
        found, id, last = list[int](), after, after + BEHIND
        while id < min(last, after + MOST):
            id += 1
            owner = await self._caller.look(place, partial(whose, self._methods, place, id))
            if owner is Whose.OURS:
                found.append(id)
            if owner is Whose.OTHERS and place.private:
                last = id + BEHIND
        return found
