"""People who ask all at once and look at their screens: what they saw, and when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.limits import Mode
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.slack.state import Message as SlackMessage
from bot.sandbox.slack.state import seen
from bot.sandbox.telegram.state import Draft, Message
from bot.sandbox.telegram.telegram import Telegram
from tests.bench.answers import letters
from tests.environment import in_slack, in_telegram

Tell = Callable[[int, str, str], None]
"""Told the number of a chat, what the bot shows there, and what of it stays: all its messages."""


@dataclass(slots=True)
class Chat:
    """One chat: when its person asked, saw the first text, and saw the whole one (0: not yet)."""

    asked: float = 0.0
    first: float = 0.0
    whole: float = 0.0


class Watch:
    """Looks at the chats of these numbers for the expected text."""

    def __init__(self, numbers: Iterable[int], expected: str) -> None:
        self.chats = {number: Chat() for number in numbers}
        self._letters = letters(expected)
        self._missing = len(self.chats)
        self._all = asyncio.Event()

    def see(self, number: int, shown: str, kept: str) -> None:
        """The bot shows this in a chat now, and its messages say that."""
        chat, now = self.chats.get(number), time.perf_counter()
        if chat is None:
            return
        if shown.strip() and not chat.first:
            chat.first = now
        whole = letters(kept) == self._letters
        if whole == bool(chat.whole):
            return
        chat.whole = now if whole else 0.0
        self._missing += -1 if whole else 1
        if not self._missing:
            self._all.set()

    async def all_whole(self, within: float) -> None:
        """Wait until all have seen everything, at most so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._all.wait()
        except TimeoutError:
            return


class Place(Protocol):
    """A platform of the sandbox, as the benchmark needs it."""

    @property
    def address(self) -> dict[str, str]:
        """What a bot must know to connect, by the names of the configuration's variables."""
        ...

    @property
    def refused(self) -> int:
        """How many calls were answered 429."""
        ...

    async def connected(self) -> None:
        """Return when a bot listens."""
        ...

    async def ask(self, number: int, question: str) -> None:
        """The person of a chat asks."""
        ...

    async def look(self, tell: Tell) -> None:
        """Tell of every change until cancelled."""
        ...


class TelegramPlace:
    """Private chats of Telegram."""

    def __init__(self, telegram: Telegram, limits: str) -> None:
        self._telegram = telegram
        telegram.limits.mode = Mode(limits)

    @property
    def address(self) -> dict[str, str]:
        """Token and address of the Bot API."""
        unlimited = {} if self._telegram.limits.mode is not Mode.OFF else UNLIMITED
        return in_telegram(self._telegram) | unlimited

    @property
    def refused(self) -> int:
        """How many calls were answered 429."""
        return self._telegram.calls.refused

    async def connected(self) -> None:
        """Return when a bot polls."""
        while not self._telegram.updates.polling:  # noqa: ASYNC110  # a state, no event
            await asyncio.sleep(0.002)

    async def ask(self, number: int, question: str) -> None:
        """Write to the bot."""
        self._telegram.person(id=2000 + number, name=f"P{number}").private().send(question)

    async def look(self, tell: Tell) -> None:
        """Every message that is posted or edited, and every draft."""
        async for change in self._telegram.changes:
            chat = self._telegram.chats.get(change.chat)
            if chat is None or change.what not in ("message", "edited", "deleted", "draft"):
                continue
            kept = "\n".join(_words(m) for m in chat.messages.values() if m.author.is_bot)
            drafts = "\n".join(_words(draft) for draft in chat.drafts.values())
            tell(change.chat - 2000, f"{kept}\n{drafts}", kept)


def _words(message: Message | Draft) -> str:
    return message.text if message.rich is None else message.rich.text


UNLIMITED = {"BOT_TELEGRAM__MESSAGES_PER_SECOND": "1000"}
"""Tells a bot that nobody counts."""


class SlackPlace:
    """Direct messages of Slack."""

    def __init__(self, slack: SlackSandbox, limits: str) -> None:
        self._slack = slack
        slack.limits.mode = Mode(limits)
        self._numbers: dict[str, int] = {}

    @property
    def address(self) -> dict[str, str]:
        """Tokens and address of the Web API."""
        return in_slack(self._slack)

    @property
    def refused(self) -> int:
        """How many calls were answered 429."""
        return self._slack.limits.refused

    async def connected(self) -> None:
        """Return when a bot's socket is open."""
        while not self._slack.sockets.connected:  # noqa: ASYNC110  # a state, no event
            await asyncio.sleep(0.002)

    async def ask(self, number: int, question: str) -> None:
        """Write to the bot."""
        person = self._slack.person(f"P{number}", id=f"U{2000 + number}")
        self._numbers[person.dm.id] = number
        await person.dm.send(question)

    async def look(self, tell: Tell) -> None:
        """What the bot's messages say where it has made a call since the last look."""
        workspace, calls = self._slack.workspace, self._slack.calls
        said: dict[str, list[SlackMessage]] = {}
        messages = looked = 0

        def changed() -> bool:
            nonlocal messages, looked
            for message in islice(workspace.messages.values(), messages, None):
                said.setdefault(message.channel, []).append(message)
                messages += 1
            channels = {str(call.args.get("channel")) for call in calls[looked:]}
            looked = len(calls)
            for channel in channels & self._numbers.keys():
                standing = [m for m in said[channel] if not m.deleted]
                texts = [seen(m, "").text for m in standing if m.user == workspace.bot.id]
                whole = "\n".join(texts)
                tell(self._numbers[channel], whole, whole)
            return False

        await workspace.wait_for(changed, timeout=3600)


@asynccontextmanager
async def opened(platform: str, limits: str) -> AsyncGenerator[Place]:
    """Serve the sandbox of a platform; the formatting is not judged."""
    if platform == "telegram":
        async with telegram_sandbox.serve(judge=False) as telegram:
            yield TelegramPlace(telegram, limits)
    else:
        async with SlackSandbox() as slack:
            yield SlackPlace(slack, limits)
