"""From what Slack delivers to what is committed: an event is acknowledged when it is stored.

Slack delivers an unacknowledged event again, at once and after 1 and 5 minutes; slash commands and
button presses never. So while the database refuses, an event is offered to it again from here too;
known keys make that harmless. Slack's frames become tasks of their own: a lock per channel keeps
what people wrote in order. What an event needs to be known is asked for when it arrives, so that
those behind it need not wait for one look-up after the other. While nobody knows whose thread a
message stands in, it is kept here and not acknowledged, and holds up nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable
from weakref import WeakSet, WeakValueDictionary

from bot.core.ports import Clock, EventSink
from bot.core.types import ChatMoved, Happening, IncomingMessage, StopPressed, Unreadable
from bot.errors import StoreError
from bot.platforms.slack import inbound
from bot.platforms.slack.calls import Json
from bot.platforms.slack.directory import Directory, Needs
from bot.platforms.slack.double_mentions import DoubleMentions
from bot.platforms.slack.ids import PLATFORM
from bot.platforms.slack.previews import Previews

log = logging.getLogger(__name__)

OFFER_AGAIN = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds between offers of one event to a database that refuses it."""
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, IndexError)


class Ingress:
    """Takes deliveries in.

    `asked` hears of every message before it is stored, and where a command can be answered that was
    typed where the bot is not (else it is empty); `opened` of everybody who opens the bot's
    messages, by channel and user, which asks for no work; `moved` of channels with another id;
    `stopped` of Slack's own Stop, by channel and thread.
    """

    def __init__(
        self,
        directory: Directory,
        clock: Clock,
        asked: Callable[[IncomingMessage, str], None],
        opened: Callable[[str, str], None],
        moved: Callable[[ChatMoved], None],
        stopped: Callable[[str, str], None],
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._asked = asked
        self._opened = opened
        self._moved = moved
        self._stopped = stopped
        self._double_mentions = DoubleMentions(clock)
        self._previews = Previews(clock, directory.look_again)
        self._late: WeakSet[asyncio.Task[None]] = WeakSet()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take(self, body: Json, sink: EventSink) -> bool:
        """Store what was delivered, if it asks for something; True when it may be acknowledged."""
        self._previews.hear(body)
        if changed := inbound.changed_message(body):
            self._directory.hear(*changed)
        await self._double_mentions.in_order(body)
        looking_up = self._directory.begin(self._needs(body))
        lock = self._locks.setdefault(inbound.conversation_of(body), asyncio.Lock())
        async with lock:
            # What waits already for the same answer came earlier.
            if self._late.isdisjoint(looking_up.whose) and await looking_up.soon():
                return await self._put(body, sink)
            self._late.update(looking_up.whose)
        if not await looking_up.at_last():
            return False
        async with lock:
            return await self._put(body, sink)

    async def _put(self, body: Json, sink: EventSink) -> bool:
        event = self._read(body)
        if event is None:
            if who := inbound.opened_messages(body):
                self._opened(*who)
            return True
        if isinstance(event, IncomingMessage):
            event = await self._complete(event, body)
            self._asked(event, inbound.way_back(body))
        if isinstance(event, ChatMoved):
            self._moved(event)
        if isinstance(event, StopPressed):
            self._stopped(*inbound.stopped_session(body))
        return await self._store(event, sink)

    async def _complete(self, message: IncomingMessage, body: Json) -> IncomingMessage:
        """The message with what it links to, if it is to be answered."""
        if not message.addressed or message.edited or message.forwards:
            return message
        told = await self._previews.complete(body)
        event = message if told is body else self._read(told)
        return event if isinstance(event, IncomingMessage) else message

    def _needs(self, body: Json) -> Needs:
        try:
            return inbound.needs_of(body, self._directory.bot, self._directory.team)
        except MALFORMED:
            return Needs()  # nobody can read it

    def _read(self, body: Json) -> Happening | None:
        try:
            return inbound.read(body, self._directory)
        except MALFORMED as error:
            raw = json.dumps(body, ensure_ascii=False)
            key = body.get("event_id") or hashlib.sha256(raw.encode()).hexdigest()
            return Unreadable(
                key=f"{PLATFORM}:{key}", platform=PLATFORM, raw=raw, reason=repr(error)
            )

    async def _store(self, event: Happening, sink: EventSink) -> bool:
        for pause in OFFER_AGAIN:
            try:
                await sink(event)
            except StoreError as error:
                log.warning("event not stored", extra={"event": _name(event), "error": repr(error)})
                await self._clock.sleep(pause)
            else:
                return True
        return False


def _name(event: Happening) -> str:
    return event.old.id if isinstance(event, ChatMoved) else event.key
