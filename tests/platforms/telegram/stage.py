"""The adapter, and behind it the sandbox server with people who look at their phones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from io import BytesIO

from PIL import Image
from pydantic import SecretStr

from bot.core.clock import SystemClock
from bot.core.ports import Clock, Platform
from bot.core.types import (
    IncomingMessage,
    MessageRef,
    OutgoingFile,
    Sender,
    Style,
    UserId,
)
from bot.platforms.telegram import TelegramSettings, connect
from bot.platforms.telegram.ids import make_chat, make_message
from bot.sandbox.telegram import serve
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView

Opener = Callable[[Telegram], ChatView]


def private(telegram: Telegram) -> ChatView:
    """Ann's own chat with the bot."""
    return telegram.person().private()


def group(telegram: Telegram) -> ChatView:
    """A group that Ann is in."""
    return telegram.group("Friends").seen_by(telegram.person())


def topic(telegram: Telegram) -> ChatView:
    """A topic of a forum that Ann is in."""
    ann = telegram.person()
    forum = telegram.group("Forum", forum=True)
    return forum.seen_by(ann, topic=forum.open_topic("Talk", ann))


def picture(name: str = "drawing.png", *, width: int = 20) -> OutgoingFile:
    """A small picture, as the bot sends it."""
    content = BytesIO()
    Image.new("RGB", (width, 20), "teal").save(content, "PNG")
    return OutgoingFile(name=name, mime="image/png", content=content.getvalue())


def settings_for(telegram: Telegram) -> TelegramSettings:
    """What an operator would write to talk to this server."""
    return TelegramSettings(token=SecretStr(telegram.token), base_url=telegram.base_url)


class TelegramStage:
    """One chat, from both sides."""

    def __init__(self, telegram: Telegram, view: ChatView, platform: Platform) -> None:
        self.telegram = telegram
        self.view = view
        self.platform = platform
        chat = make_chat(view.id, view.topic)
        self.incoming = IncomingMessage(
            key="test",
            ref=make_message(chat, view.send("@sandbox_bot hi")),
            sender=Sender(UserId("1001"), "Ann"),
            text="hi",
            group=view.id < 0,
        )

    async def screen(self) -> list[str]:
        """What the bot shows now."""
        screen = self.view.screen()
        return [m.text for m in screen.answers] + ([screen.draft.text] if screen.draft else [])

    async def kept(self) -> list[str]:
        """What of it will stay."""
        return [message.text for message in self.view.kept() if message.by_bot]

    async def buttons(self) -> list[str]:
        """The labels of all buttons."""
        return [label for m in self.view.screen().answers for row in m.buttons for label in row]

    async def files(self) -> list[str]:
        """The names of the bot's files."""
        return [m.file.name for m in self.view.screen().answers if m.file is not None]

    async def refuse_next(self, seconds: int) -> None:
        """429 for the next call."""
        self.telegram.faults.refuse_next(seconds)

    async def drop_next(self) -> None:
        """The next call is carried out, and its answer lost."""
        self.telegram.faults.drop_next()

    async def delete(self, ref: MessageRef) -> None:
        """Ann deletes a message of the bot."""
        self.view.delete(int(ref.id))


@asynccontextmanager
async def staged(
    opened: Opener = private,
    *,
    clock: Clock | None = None,
    style: Style = Style(),  # noqa: B008 - frozen
) -> AsyncIterator[TelegramStage]:
    """A served chat and a platform that may send to it; `clock` is the platform's."""
    async with serve() as telegram:
        view = opened(telegram)
        platform = connect(settings_for(telegram), clock=clock or SystemClock())
        try:
            yield TelegramStage(telegram, view, platform.styled(style))
        finally:
            await platform.close()
