"""Somebody who sits at a terminal, with a keyboard and a screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from bot.core.types import ChatMoved, Event, Happening, IncomingMessage, Unreadable, Withdrawal
from bot.platforms.console.adapter import ConsolePlatform
from bot.platforms.console.terminal import TerminalScreen
from tests.patience import PATIENCE
from tests.platforms.console.emulator import Emulator

ENTER = "\r"


@dataclass(kw_only=True)
class Sitting:
    """Somebody at a terminal: `keys` go in, `terminal` shows, `events` reach the bot."""

    platform: ConsolePlatform
    terminal: Emulator
    keyboard: PipeInput
    events: list[Event] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def sink(self, event: Happening) -> None:
        assert not isinstance(event, Unreadable | ChatMoved | Withdrawal)
        self.events.append(event)
        self.news.set()

    def keys(self, text: str) -> None:
        self.keyboard.send_text(text)

    async def next_event(self) -> Event:
        """The next thing that happens; bounded."""
        async with asyncio.timeout(PATIENCE):
            await self.news.wait()
        self.news.clear()
        return self.events[-1]

    async def say(self, line: str) -> IncomingMessage:
        self.keys(line + ENTER)
        event = await self.next_event()
        assert isinstance(event, IncomingMessage)
        return event

    async def sees(self, text: str) -> str:
        """Wait until a text is on the terminal; bounded by the number of looks."""
        for _ in range(500):
            if text in self.terminal.seen():
                return self.terminal.seen()
            await asyncio.sleep(0.01)  # the terminal draws when it likes: there is no event
        raise AssertionError(f"{text!r} is not in:\n{self.terminal.seen()}")


@contextmanager
def seated(files: Path, *, rows: int = 24) -> Iterator[Sitting]:
    """Somebody before a bot that does not run yet; it saves pictures in `files`."""
    terminal = Emulator(rows=rows)
    with create_pipe_input() as keyboard:
        output = Vt100_Output(
            terminal,
            lambda: Size(rows=rows, columns=terminal.columns),
            term="xterm-256color",
            enable_cpr=False,
        )
        platform = ConsolePlatform(
            TerminalScreen(source=keyboard, target=output),
            wait_until_answered=_never,
            language="en",
            files=files,
        )
        yield Sitting(platform=platform, terminal=terminal, keyboard=keyboard)


@asynccontextmanager
async def sitting(tmp_path: Path, *, rows: int = 24) -> AsyncGenerator[Sitting]:
    """Somebody before a bot that runs."""
    with seated(tmp_path / "images", rows=rows) as desk:
        running = asyncio.create_task(desk.platform.run(desk.sink, lambda: None))
        try:
            await desk.sees("›")
            yield desk
        finally:
            running.cancel()
            await asyncio.wait({running})
    if not running.cancelled():
        running.result()


async def _never(chat: object) -> None:
    raise AssertionError("somebody who sits at a terminal is not kept waiting")
