"""Where people sit: the whole bot behind a real adapter, seen and used as a person does.

A seat types, presses and looks; the sandbox servers, or a terminal, are what it looks at.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias, Unpack

from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from bot.core.clock import SystemClock
from bot.core.ports import Platform
from bot.platforms.console.adapter import ConsolePlatform
from bot.platforms.console.terminal import TerminalScreen
from bot.platforms.telegram import connect
from bot.sandbox.slack.people import Place
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.slack.sockets import Envelope
from bot.sandbox.telegram import serve
from bot.sandbox.telegram.view import ChatView
from tests.house import Engine, Options, open_engine
from tests.intake import listening
from tests.patience import until
from tests.platforms.console.emulator import Emulator
from tests.platforms.slack.stage import platform_for
from tests.platforms.telegram.stage import settings_for

_MARKS = re.compile(r"[*`]+")


def plain(text: str) -> str:
    """The words of a text, however they are formatted and wrapped."""
    return " ".join(_MARKS.sub("", text).split())


class Seat(ABC):
    """One person in one chat; commands are written with this `mark` there."""

    mark = "/"

    @abstractmethod
    async def say(self, text: str) -> None:
        """Type and send."""

    @abstractmethod
    def pressed(self, label: str) -> bool:
        """Press the newest button with this label; False without one."""

    @abstractmethod
    def newest(self) -> str:
        """The newest words of the bot; files may stand below them."""

    @abstractmethod
    def files(self) -> list[str]:
        """The names of the files that the bot has sent."""

    async def press(self, label: str) -> None:
        """Press the newest button with this label, as soon as there is one."""
        await self._until(lambda: self.pressed(label), f"no button {label!r}")

    async def sees(self, words: str) -> None:
        """Wait until the newest words of the bot hold these."""
        await self._until(lambda: plain(words) in plain(self.newest()), f"no {words!r}")

    async def gets(self, ending: str) -> None:
        """Wait until the bot has sent a file whose name ends so."""
        await self._until(lambda: any(n.endswith(ending) for n in self.files()), f"no {ending}")

    async def _until(self, done: Callable[[], bool], otherwise: str) -> None:
        try:
            await until(done)
        except TimeoutError:
            raise AssertionError(f"{otherwise} in:\n{self.newest()}") from None


class TelegramSeat(Seat):
    """Somebody with a telephone."""

    def __init__(self, view: ChatView) -> None:
        self.view = view

    async def say(self, text: str) -> None:
        self.view.send(text)

    def pressed(self, label: str) -> bool:
        try:
            self.view.press(label)
        except LookupError:
            return False
        return True

    def newest(self) -> str:
        return next((m.text for m in reversed(self.view.screen().answers) if m.text), "")

    def files(self) -> list[str]:
        return [m.file.name for m in self.view.screen().answers if m.file is not None]


class SlackSeat(Seat):
    """Somebody in a direct message, or in a thread where slash commands do not exist."""

    mark = "!"

    def __init__(self, place: Place) -> None:
        self.place = place
        self._presses: list[asyncio.Future[Envelope]] = []

    async def say(self, text: str) -> None:
        await self.place.send(re.sub(r"\A/", self.mark, text))

    def pressed(self, label: str) -> bool:
        there = any(label in seen.buttons for seen in self.place.answers())
        if there:
            self._presses.append(asyncio.ensure_future(self.place.press(label)))
        return there

    def newest(self) -> str:
        return next((seen.text for seen in reversed(self.place.answers()) if seen.text), "")

    def files(self) -> list[str]:
        return [name for seen in self.place.answers() for name in seen.files]


class ConsoleSeat(Seat):
    """Somebody at a terminal: a button is pressed by its number."""

    def __init__(self, terminal: Emulator, keyboard: PipeInput, folder: Path) -> None:
        self._terminal = terminal
        self._keyboard = keyboard
        self._folder = folder
        self._seen = 0

    async def say(self, text: str) -> None:
        self._type(text)

    def _type(self, text: str) -> None:
        self._seen = len(self._terminal.seen())
        self._keyboard.send_text(text + "\r")

    def pressed(self, label: str) -> bool:
        numbers = re.findall(rf"\[(\d+)\] {re.escape(label)}(?:  |$)", self.newest(), re.MULTILINE)
        if numbers:
            self._type(numbers[-1])
        return bool(numbers)

    def newest(self) -> str:
        return self._terminal.seen()[self._seen :]

    def files(self) -> list[str]:
        return [path.name for path in self._folder.glob("*")]


Opener: TypeAlias = Callable[..., AbstractAsyncContextManager[Callable[[], Seat]]]
"""Opens a bot; each call of what it yields is another person with a chat of their own."""


@asynccontextmanager
async def at_telegram(
    folder: Path, **options: Unpack[Options]
) -> AsyncGenerator[Callable[[], Seat]]:
    """People's own chats with the bot in Telegram."""
    ids = itertools.count(1001)
    async with serve() as telegram:
        platform = connect(settings_for(telegram), clock=SystemClock())
        async with running(folder, platform, **options):
            yield lambda: TelegramSeat(telegram.person(id=next(ids), name="Ann").private())


@asynccontextmanager
async def at_slack(folder: Path, **options: Unpack[Options]) -> AsyncGenerator[Callable[[], Seat]]:
    """People's direct messages with the bot in Slack."""
    async with SlackSandbox() as sandbox:
        platform = platform_for(sandbox, SystemClock())
        async with running(folder, platform, **options):
            yield lambda: SlackSeat(sandbox.person("Ann").dm)


@asynccontextmanager
async def at_the_terminal(
    folder: Path, **options: Unpack[Options]
) -> AsyncGenerator[Callable[[], Seat]]:
    """The operator at a wide terminal; there is only one seat."""
    terminal, files = Emulator(rows=60, columns=160), folder / "files"
    with create_pipe_input() as keyboard:
        size = Size(rows=terminal.rows, columns=terminal.columns)
        output = Vt100_Output(terminal, lambda: size, term="xterm-256color", enable_cpr=False)
        platform = ConsolePlatform(
            TerminalScreen(source=keyboard, target=output),
            wait_until_answered=_never,
            language="en",
            files=files,
            person="Ann",
        )
        async with running(folder, platform, **options):
            yield lambda: ConsoleSeat(terminal, keyboard, files)


@asynccontextmanager
async def running(
    folder: Path, platform: Platform, **options: Unpack[Options]
) -> AsyncGenerator[Engine]:
    """The bot behind a platform that is connected."""
    async with open_engine(folder, platform, **options) as engine:
        try:
            async with listening(platform, engine.lanes.sink):
                yield engine
        finally:
            await platform.close()


async def _never(chat: object) -> None:
    raise AssertionError("somebody who sits at a terminal is not kept waiting")
