"""An update as it came, read for the core, whichever way it came: polled or posted."""

from __future__ import annotations

import json
import logging
from typing import Any

from telegram import User

from bot.core.types import ChatMoved, ChatRef, Happening, IncomingMessage, Unreadable
from bot.platforms.telegram.ids import PLATFORM, parse_chat
from bot.platforms.telegram.inbound import key_of, parse_update
from bot.platforms.telegram.moves import Moves
from bot.platforms.telegram.pastes import Pastes
from bot.platforms.telegram.spoken import Me

log = logging.getLogger(__name__)

MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading an update raises that is not one; an endless number is the last."""


class UpdateReader:
    """Reads updates in the order in which they come; knows what belongs to one from those before.

    `me` is the bot's own account; `moves` is told of groups that got another id.
    """

    def __init__(self, me: User, moves: Moves) -> None:
        self._me = Me(id=me.id, username=me.username or "")
        self._moves = moves
        self._pastes = Pastes()

    def read(self, raw: dict[str, Any]) -> Happening | None:
        """What an update tells; None when that is nothing. What cannot be read is to be kept."""
        try:
            event = parse_update(raw, self._me)
            if isinstance(event, IncomingMessage) and not event.edited:
                return self._pastes.join(event, raw["message"].get("date", 0))
        except MALFORMED as failure:
            return self._unreadable(raw, failure)
        if isinstance(event, ChatMoved):
            self._moves.note(parse_chat(event.old).chat, parse_chat(event.new).chat)
        return event

    def chat_of(self, event: Happening) -> ChatRef | None:
        """The chat whose events keep their order; one that has moved is the same chat."""
        match event:
            case Unreadable():
                return None
            case ChatMoved():
                return self._moves.chat(event.new)
            case _:
                return self._moves.chat(event.chat)

    def _unreadable(self, raw: dict[str, Any], failure: Exception) -> Unreadable:
        reason = f"{type(failure).__name__}: {failure}"
        log.error("update not readable, kept", extra={"reason": type(failure).__name__})
        key = key_of(raw, self._me)
        return Unreadable(key=key, platform=PLATFORM, raw=json.dumps(raw), reason=reason)
