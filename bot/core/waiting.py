"""What people are told about messages that wait, and about those that were not taken in.

A line that says how many messages are answered first stands where the answer will stand. It is
posted below the answer that is being written, so not before there is something of that one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from bot.core.i18n import texts
from bot.core.ports import Clock, Platform
from bot.core.stores import TurnQueue
from bot.core.together import may_join
from bot.core.types import (
    ButtonPress,
    ChatRef,
    Event,
    IncomingMessage,
    MessageRef,
    Reply,
    Sender,
    StopPressed,
)
from bot.errors import ChatGone, PlatformError, RateLimited, StoreError

log = logging.getLogger(__name__)

TRIES = 5
"""How often somebody is told that a message was not taken in, when the platform fails."""
CLOSING = 1.0
"""Seconds for a line that is being posted at the end, so that it is written down, or taken back."""
CROWD = 10_000
"""Messages of which it is remembered that their sender was told they wait outside."""


def chat_of(event: Event) -> ChatRef:
    """The chat in which an event happened."""
    return event.chat if isinstance(event, StopPressed) else event.ref.chat


def waits(ahead: int, sender: Sender) -> str:
    """How many messages are answered first, in words."""
    say = texts(sender.language).ngettext(
        "⏳ {ahead} message before yours", "⏳ {ahead} messages before yours", ahead
    )
    return say.format(ahead=ahead)


class WaitingRoom:
    """Knows who waits in which chat, and whether they have been told."""

    def __init__(
        self, platforms: Mapping[str, Platform], turns: TurnQueue, clock: Clock, *, together: bool
    ) -> None:
        self._platforms = platforms
        self._turns = turns
        self._clock = clock
        self._together = together
        self._untold: dict[ChatRef, dict[int, IncomingMessage]] = {}
        self._row: dict[ChatRef, int] = {}
        self._standing: set[ChatRef] = set()
        self._locks: dict[ChatRef, asyncio.Lock] = {}
        self._lines: dict[int, asyncio.Task[MessageRef | None]] = {}
        self._outside: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------ who waits

    def enter(self, turn_id: int, message: IncomingMessage) -> None:
        """A message waits for the answer before it."""
        chat = message.ref.chat
        self._untold.setdefault(chat, {})[turn_id] = message
        if chat in self._standing:
            self._announce(chat)

    def stands(self, chat: ChatRef) -> None:
        """The answer being written has something in the chat: who waits may be told below it."""
        if chat not in self._standing:
            self._standing.add(chat)
            self._announce(chat)

    def answered(self, chat: ChatRef) -> None:
        """The answer that was being written has ended."""
        self._standing.discard(chat)

    async def leave(self, chat: ChatRef, turn_id: int) -> MessageRef | None:
        """The turn has come; returns the line that said that it waits."""
        self._untold.get(chat, {}).pop(turn_id, None)
        if self._row.get(chat) == turn_id:
            del self._row[chat]
        line = self._lines.pop(turn_id, None)
        return None if line is None else await line

    def forget(self, chat: ChatRef) -> None:
        """Nothing of the chat waits any more."""
        self._locks.pop(chat, None)
        self._untold.pop(chat, None)
        self._row.pop(chat, None)

    def _announce(self, chat: ChatRef) -> None:
        """Tell everybody who waits and has not been told; the lock keeps their order.

        Of short messages in a row, which are answered together, one line speaks for all.
        """
        lock = self._locks.setdefault(chat, asyncio.Lock())
        for turn_id, message in self._untold.pop(chat, {}).items():
            if self._together and may_join(message):
                if self._row.setdefault(chat, turn_id) != turn_id:
                    continue
            else:
                self._row.pop(chat, None)
            line = self._tell(turn_id, chat, message.sender, lock)
            self._lines[turn_id] = asyncio.create_task(line)

    async def _tell(
        self, turn_id: int, chat: ChatRef, sender: Sender, lock: asyncio.Lock
    ) -> MessageRef | None:
        async with lock:
            try:
                ahead = await self._turns.ahead(turn_id)
                if not ahead:
                    return None  # its turn has come meanwhile
                reply = Reply(text=waits(ahead, sender))
                ref = await self._platforms[chat.platform].send(chat, reply)
                if not await self._turns.announce(turn_id, ref) and turn_id in self._lines:
                    # Its turn came before it entered here: nobody will ask for this line.
                    del self._lines[turn_id]
                    await self._platforms[chat.platform].delete(ref)
                    return None
            except (PlatformError, StoreError) as error:
                log.info("waiting not shown", extra={"chat": chat.id, "error": repr(error)})
                return None
            return ref

    # ------------------------------------------------------------ in passing

    def answer_press(self, press: ButtonPress, ahead: int) -> None:
        """Tell somebody whose press waits in the lane that it is known; nobody waits for that."""
        text = waits(ahead, press.sender) if ahead else ""
        self._begin(self._platforms[press.ref.chat.platform].notice(press, text))

    async def refuse(self, event: Event) -> None:
        """Tell somebody that this chat has too much waiting, and this is not taken in."""
        _ = texts(event.sender.language).gettext
        text = _("Too many of your messages are waiting already. Please send this one again later.")
        if isinstance(event, ButtonPress):
            await self._platforms[event.ref.chat.platform].notice(event, text)
        else:
            self._begin(self._insist(event, text))

    def keep_outside(self, event: Event) -> None:
        """Tell somebody, once per message, that all of the bot is busy and it is offered again."""
        if event.key in self._outside or not isinstance(event, IncomingMessage):
            return
        if len(self._outside) >= CROWD:
            self._outside.clear()
        self._outside.add(event.key)
        _ = texts(event.sender.language).gettext
        text = _("⏳ Very many people are writing to me just now. I will answer, it takes a while.")
        self._begin(self._insist(event, text))

    def let_in(self, event: Event) -> None:
        """There was room after all."""
        self._outside.discard(event.key)

    async def _insist(self, event: Event, text: str) -> None:
        """Say it, and again where the platform fails: nobody else will."""
        chat = chat_of(event)
        about = event.ref if isinstance(event, IncomingMessage) else None
        for attempt in range(TRIES):
            try:
                await self._platforms[chat.platform].send(chat, Reply(text=text, answering=about))
            except ChatGone:
                return
            except PlatformError as error:
                log.warning("refusal not shown", extra={"chat": chat.id, "error": repr(error)})
                asked = error.retry_after if isinstance(error, RateLimited) else 0.0
                await self._clock.sleep(asked or 2.0**attempt)
            else:
                return

    def _begin(self, telling: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(telling)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Tell nobody anything any more."""
        if self._lines:
            await asyncio.wait(self._lines.values(), timeout=CLOSING)
        telling: list[asyncio.Task[Any]] = [*self._lines.values(), *self._tasks]
        for task in telling:
            task.cancel()
        if telling:
            await asyncio.wait(telling)
