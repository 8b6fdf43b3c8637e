"""What people are told in passing: that a press waits, and that something was not taken in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from bot.core.errands import Errands, insist
from bot.core.i18n import texts
from bot.core.ports import Clock, Platform
from bot.core.types import ButtonPress, Event, IncomingMessage, Reply, Sender

CLOSING = 0.8
"""Seconds for what is being said, or taken back, when the bot ends."""
CROWD = 10_000
"""Messages of which it is remembered that their sender was told they wait outside."""


def waits(ahead: int, sender: Sender) -> str:
    """How many messages are answered first, in words."""
    say = texts(sender.language).ngettext(
        "⏳ {ahead} message before yours", "⏳ {ahead} messages before yours", ahead
    )
    return say.format(ahead=ahead)


class Notices:
    """Says it; nobody waits for that, but for what a press must be told at once."""

    def __init__(self, platforms: Mapping[str, Platform], clock: Clock) -> None:
        self._platforms = platforms
        self._clock = clock
        self._refused: set[str] = set()
        self._errands = Errands()

    def answer_press(self, press: ButtonPress, ahead: int) -> None:
        """Tell somebody whose press waits in the lane that it is known; nobody waits for that."""
        text = waits(ahead, press.sender) if ahead else ""
        self._errands.send(self._platforms[press.ref.chat.platform].notice(press, text))

    async def refuse_press(self, event: Event) -> None:
        """Tell somebody that this chat has too much waiting, and their press is not taken in."""
        _ = texts(event.sender.language).gettext
        text = _("Too many messages are waiting here already. Please try again later.")
        await self._platforms[event.chat.platform].notice(event, text)

    def refuse_for_now(self, event: Event) -> None:
        """Tell somebody, once per message, that all of the bot is busy and it is offered again."""
        if event.key in self._refused or not isinstance(event, IncomingMessage):
            return
        if len(self._refused) >= CROWD:
            self._refused.clear()
        self._refused.add(event.key)
        _ = texts(event.sender.language).gettext
        text = _("⏳ Very many people are writing to me just now. I will answer, it takes a while.")
        send = self._platforms[event.chat.platform].send
        say = partial(send, event.chat, Reply(text=text, answering=event.ref))
        self._errands.send(insist(say, event.chat, self._clock, failed="refusal not shown"))

    def accepted(self, event: Event) -> None:
        """An event was accepted that may have been refused before."""
        self._refused.discard(event.key)

    async def close(self) -> None:
        """Say nothing any more."""
        await self._errands.close(patience=CLOSING)
