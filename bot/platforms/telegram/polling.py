"""Our own `getUpdates` loop: an update is confirmed only when it is in the database.

PTB's updater confirms what it fetched before anybody has it: a kill lost 130 of 200 messages. Here
an update is read, handed to the sink, which commits it, and only then does the offset advance.
What cannot be read is kept as it came and passed over. What the database does not take is offered
again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from telegram import Bot, error

from bot.core.ports import Clock, EventSink
from bot.core.types import ChatMoved, ChatRef, Happening, IncomingMessage, Unreadable
from bot.errors import ConfigError, StoreError
from bot.platforms.telegram.errors import seconds_of
from bot.platforms.telegram.ids import PLATFORM, parse_chat
from bot.platforms.telegram.inbound import ALLOWED_UPDATES, Me, key_of, parse_update
from bot.platforms.telegram.moves import Moves
from bot.platforms.telegram.pastes import Pastes
from bot.platforms.telegram.request import AiohttpRequest

log = logging.getLogger(__name__)

POLL_SECONDS = 30
BATCH = 100
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STORE_PAUSE = 1.0
SILENCE = 120.0
"""Seconds without a poll that succeeded after which the connections are made anew."""

MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What reading an update raises that is not one; an endless number is the last."""

BAD_TOKEN = (
    "telegram.token is refused by Telegram: ask @BotFather for the current token "
    "(or telegram.base_url is not the address of a Bot API server)"
)


class Poller:
    """Fetches updates until cancelled."""

    def __init__(self, bot: Bot, request: AiohttpRequest, clock: Clock, *, moves: Moves) -> None:
        self._bot = bot
        self._request = request
        self._clock = clock
        self._moves = moves
        self._pastes = Pastes()
        self._offset = 0
        self._succeeded = clock.monotonic()
        self._conflict = False

    async def run(self, sink: EventSink, ready: Callable[[], None]) -> None:
        """Hand every update to `sink`; call `ready` when Telegram has answered for the first time.

        Raises `ConfigError` when the token is refused, and what `sink` raises besides `StoreError`.
        """
        me = await self._introduce()
        ready()
        pause = FIRST_PAUSE
        while True:
            try:
                updates = await self._fetch()
            except error.TelegramError as failure:
                pause = await self._recover(failure, pause)
                continue
            pause = FIRST_PAUSE
            self._succeed()
            await self._take_in(updates, me, sink)

    async def _introduce(self) -> Me:
        """Learn the bot's own name; Telegram may take some tries to be reached."""
        pause = FIRST_PAUSE
        while True:
            try:
                user = await self._bot.get_me()
            except error.TelegramError as failure:
                pause = await self._recover(failure, pause)
            else:
                return Me(id=user.id, username=user.username or "")

    async def _fetch(self) -> list[dict[str, Any]]:
        """The next updates, as they came; waits at the server until there are some."""
        query = {
            "offset": self._offset,
            "limit": BATCH,
            "timeout": POLL_SECONDS,
            "allowed_updates": json.dumps(ALLOWED_UPDATES),
        }
        # not `Bot.get_updates`, which parses the whole batch and fails for one bad update
        url = f"{self._bot.base_url}/getUpdates?{urlencode(query)}"
        updates = await self._request.post(url)
        return (
            [raw for raw in updates if isinstance(raw, dict)] if isinstance(updates, list) else []
        )

    async def _take_in(self, updates: Sequence[dict[str, Any]], me: Me, sink: EventSink) -> None:
        """Pass a batch on; only when all of it is committed, the offset advances.

        The chats do not wait for each other, so one commit serves many of them; the events of each
        chat keep their order; one that has moved is the same chat.
        """
        chats: dict[ChatRef | None, list[Happening]] = {}
        for raw in updates:
            if (event := _read(raw, me)) is None:
                continue
            if isinstance(event, IncomingMessage) and not event.edited:
                event = self._pastes.join(event, raw["message"].get("date", 0))
            if isinstance(event, ChatMoved):
                self._moves.note(parse_chat(event.old).chat, parse_chat(event.new).chat)
            chat = _chat_of(event)
            chats.setdefault(chat and self._moves.chat(chat), []).append(event)
        await asyncio.gather(*(self._hand_over(events, sink) for events in chats.values()))
        self._offset = _after(updates)

    async def _hand_over(self, events: Sequence[Happening], sink: EventSink) -> None:
        """Pass events on, one after the other; returns when they are committed."""
        for event in events:
            refused = False
            while True:
                try:
                    await sink(event)
                    break
                except StoreError as failure:
                    if not refused:
                        extra = {"reason": str(failure)}
                        log.error("update not stored, offered again", extra=extra)
                    refused = True
                    await self._clock.sleep(STORE_PAUSE)

    async def _recover(self, failure: error.TelegramError, pause: float) -> float:
        """Say what is wrong, wait, and say how long to wait next time."""
        if isinstance(failure, error.InvalidToken):
            raise ConfigError(BAD_TOKEN) from failure
        if isinstance(failure, error.RetryAfter):
            pause = max(pause, seconds_of(failure))
        if isinstance(failure, error.Conflict):
            await self._resolve(failure)
        else:
            log.warning("no updates", extra={"reason": failure.message, "next_try": pause})
        if self._clock.monotonic() - self._succeeded > SILENCE:
            log.error("no successful poll for long, connecting anew", extra={"seconds": SILENCE})
            await self._request.shutdown()
            self._succeeded = self._clock.monotonic()
        await self._clock.sleep(pause)
        return min(LONGEST_PAUSE, pause * 2)

    def _succeed(self) -> None:
        self._succeeded = self._clock.monotonic()
        if self._conflict:
            log.info("polling alone again")
        self._conflict = False

    async def _resolve(self, conflict: error.Conflict) -> None:
        """Take a webhook away; another poller is only spoken of, once, while it lasts."""
        if "webhook" in conflict.message.lower():
            log.warning("a webhook is set for this token, removed to poll instead")
            with suppress(error.TelegramError):  # one that is being set: again after the next poll
                await self._bot.delete_webhook()
            return
        if not self._conflict:
            log.error(
                "another program polls with the same token",
                extra={"fix": "stop the other bot, or get a token of its own from @BotFather"},
            )
        self._conflict = True


def _after(updates: Sequence[dict[str, Any]]) -> int:
    """The offset that confirms a batch, and asks for what comes after it.

    After a week without updates the ids go on at a random number, which may be a lower one (Bot
    API, `Update.update_id`). So no older batch counts; and when none came, all is confirmed, and
    the offset 0 asks for the earliest, whatever its id.
    """
    return max((int(raw.get("update_id", 0)) + 1 for raw in updates), default=0)


def _chat_of(event: Happening) -> ChatRef | None:
    match event:
        case Unreadable():
            return None
        case ChatMoved():
            return event.new
        case _:
            return event.chat


def _read(raw: dict[str, Any], me: Me) -> Happening | None:
    try:
        return parse_update(raw, me)
    except MALFORMED as failure:
        reason = f"{type(failure).__name__}: {failure}"
        log.error("update not readable, kept", extra={"reason": type(failure).__name__})
        return Unreadable(
            key=key_of(raw, me), platform=PLATFORM, raw=json.dumps(raw), reason=reason
        )
