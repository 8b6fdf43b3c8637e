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
from bot.core.types import ChatRef, Happening
from bot.errors import StoreError
from bot.platforms.telegram.backoff import Backoff
from bot.platforms.telegram.inbound import ALLOWED_UPDATES
from bot.platforms.telegram.moves import Moves
from bot.platforms.telegram.request import AiohttpRequest
from bot.platforms.telegram.updates import UpdateReader

log = logging.getLogger(__name__)

POLL_SECONDS = 30
BATCH = 100
STORE_PAUSE = 1.0


class Poller:
    """Fetches updates until cancelled."""

    def __init__(self, bot: Bot, request: AiohttpRequest, clock: Clock, *, moves: Moves) -> None:
        self._bot = bot
        self._request = request
        self._clock = clock
        self._moves = moves
        self._backoff = Backoff(request, clock)
        self._offset = 0
        self._conflict = False

    async def run(self, sink: EventSink, ready: Callable[[], None]) -> None:
        """Hand every update to `sink`; call `ready` when Telegram has answered for the first time.

        Raises `ConfigError` when the token is refused, and what `sink` raises besides `StoreError`.
        """
        me = await self._backoff.insist(self._bot.get_me)
        ready()
        reader = UpdateReader(me, self._moves)
        while True:
            try:
                updates = await self._fetch()
            except error.Conflict as conflict:
                await self._resolve(conflict)
                await self._backoff.recover(conflict, known=True)
            except error.TelegramError as failure:
                await self._backoff.recover(failure)
            else:
                self._succeed()
                await self._take_in(updates, reader, sink)

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

    async def _take_in(
        self, updates: Sequence[dict[str, Any]], reader: UpdateReader, sink: EventSink
    ) -> None:
        """Pass a batch on; only when all of it is committed, the offset advances.

        The chats do not wait for each other, so one commit serves many of them; the events of each
        chat keep their order.
        """
        chats: dict[ChatRef | None, list[Happening]] = {}
        for raw in updates:
            if (event := reader.read(raw)) is not None:
                chats.setdefault(reader.chat_of(event), []).append(event)
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

    def _succeed(self) -> None:
        self._backoff.succeed()
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
