"""Telegram's methods by their names, with JSON for what is given and for what is answered.

python-telegram-bot's own methods make objects of both; for a text that takes as long as all else
that is done about it here, and of the answer nothing is looked at but the id of the message.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TypeAlias

from telegram import Bot
from telegram.error import BadRequest

from bot.errors import PlatformError
from bot.platforms.telegram.errors import is_missing, is_staying, is_unanswerable
from bot.platforms.telegram.ids import Place

log = logging.getLogger(__name__)

MAX_DELETIONS = 100
"""Messages that one call removes (Bot API, `deleteMessages`)."""
CAPITAL = re.compile("(?=[A-Z])")
Json: TypeAlias = dict[str, object]
"""An object of the Bot API, to be sent."""


class Methods:
    """The methods of one bot. They raise `telegram.error.TelegramError`."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def call(self, name: str, **given: object) -> object:
        """Call a method with what is not None; returns the result as it came.

        A file is given as `InputFile` or `InputMediaPhoto`. What was to answer a message that is
        gone answers none: the server may learn of that only from Telegram's refusal, in spite of
        `allow_sending_without_reply`.
        """
        # `send_Message` becomes `sendMessage` again, but is none of python-telegram-bot's own
        # methods: of calling those in this way it warns.
        words = CAPITAL.sub("_", name)
        try:
            return await self._bot.do_api_request(words, api_kwargs=given)
        except BadRequest as failure:
            if given.get("reply_parameters") is None or not is_unanswerable(failure):
                raise
        return await self.call(name, **{**given, "reply_parameters": None})

    async def delete(self, place: Place, messages: Sequence[int]) -> bool:
        """Remove messages; one that is gone already, or that nobody can remove, is no failure.

        False when none of several is removed, on account of one of them: each is to be tried alone.
        """
        try:
            if len(messages) > 1:
                await self.call("deleteMessages", chat_id=place.chat, message_ids=list(messages))
            else:
                await self.call("deleteMessage", chat_id=place.chat, message_id=messages[0])
        except BadRequest as failure:
            if not is_staying(failure) and not is_missing(failure):
                raise
            if len(messages) > 1:
                return False
            if is_staying(failure):
                log.info("too old to be deleted", extra={"chat": place.chat, "id": messages[0]})
        return True


def target(place: Place) -> Json:
    """What tells a method in which chat and topic."""
    return {"chat_id": place.chat, "message_thread_id": place.topic}


def ids_in(answer: object) -> list[int]:
    """The ids of the messages that a method has answered with; none for another answer."""
    found = answer if isinstance(answer, list) else [answer]
    ids = [message.get("message_id") for message in found if isinstance(message, dict)]
    return [id for id in ids if isinstance(id, int)]


def first_id(answer: object) -> int:
    """The id of the (first) message that a method has posted. Raises `PlatformError`."""
    ids = ids_in(answer)
    if not ids:
        raise PlatformError("Telegram did not say which message it posted")
    return ids[0]
