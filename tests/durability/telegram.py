"""The sandbox Telegram as a town."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.environment import in_telegram


class TelegramTown:
    """`Town`; person `n` has the user id 5000 + n."""

    def __init__(self, telegram: Telegram) -> None:
        self._telegram = telegram
        self.env = in_telegram(telegram)

    def chat(self, person: int) -> ChatView:
        """Somebody's private chat with the bot."""
        return self._telegram.person(id=5000 + person, name=f"P{person}").private()

    async def ask(self, person: int, question: str) -> None:
        """Somebody writes to the bot."""
        self.chat(person).send(question)

    def texts(self, person: int) -> Sequence[str]:
        """The bot's messages, oldest first."""
        kept = sorted(self.chat(person).kept(), key=lambda message: message.id)
        return [message.text for message in kept if message.by_bot]

    def at_work(self, person: int) -> bool:
        """Whether a draft is there; that the bot is typing passes by itself."""
        return self.chat(person).screen().draft is not None

    async def press(self, person: int, label: str) -> None:
        """Somebody presses a button."""
        self.chat(person).press(label)

    def disturb(self, dice: random.Random) -> None:
        """Break the connection of a call that was carried out, or fail one."""
        if dice.random() < 0.3:
            self._telegram.faults.fail_next(502, method="editmessagetext")

    async def until(self, condition: Callable[[], bool], within: float) -> None:
        """Wait for something to be seen."""
        await self._telegram.changes.until(condition, within)
