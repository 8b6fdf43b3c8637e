"""A chat platform that lives in memory.

The platform behaves: it shows, edits, refuses, limits, loses answers and keeps what a person would
see. It is shipped beside the ports as the least that a platform must do, and so that every test of
the core can own both ends of the conversation.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot.core.capabilities import Capabilities, Streaming
from bot.core.fakes.clock import ManualClock
from bot.core.fakes.drafts import NativeDraft, PassingDraft
from bot.core.fakes.screen import CHAT, FakeScreen
from bot.core.ports import Clock, Draft, EventSink, Platform
from bot.core.types import (
    Attachment,
    Button,
    ButtonPress,
    ChatId,
    ChatRef,
    Event,
    FileId,
    IncomingMessage,
    MessageRef,
    Reply,
    Sender,
    StopPressed,
    Style,
    Unreadable,
    UserId,
)
from bot.errors import FileTooLarge, MessageGone, PlatformError, StoreError

__all__ = ["ANN", "CHAT", "FAKE_CAPABILITIES", "FakePlatform", "ManualClock"]

ANN = Sender(UserId("1"), "Ann")
FAKE_CAPABILITIES = Capabilities(
    streaming=Streaming.EDIT,
    max_text=4000,
    update_interval=1.0,
    max_buttons=100,
    max_file_in=20_000_000,
    max_file_out=50_000_000,
    folds=True,
)
OFFER_AGAIN = 1.0
"""Seconds until an event is offered again that the database did not take."""


class FakePlatform(FakeScreen, Platform):
    """A platform in memory. The bot's side is the port; the rest is a person's, and fate's.

    A native draft (`Streaming.NATIVE`) can only be appended to; `ephemeral` makes it a preview that
    is no message before it is finished, as Telegram's drafts are, where Slack's streams are one.
    """

    name = "fake"

    def __init__(
        self,
        capabilities: Capabilities = FAKE_CAPABILITIES,
        *,
        clock: Clock,
        ephemeral: bool = False,
    ) -> None:
        super().__init__(clock, capabilities)
        self.typings: list[ChatRef] = []
        self.typing_now = 0
        self.notices: list[str] = []
        self._noticed: set[str] = set()
        self.styles: list[Style] = []
        self.contents: dict[FileId, bytes] = {}
        self.closed = False
        self.deletable = True
        self._ephemeral = ephemeral
        self._events: asyncio.Queue[Event | Unreadable] = asyncio.Queue()

    # ------------------------------------------------------------ the port

    def capabilities(self, chat: ChatRef) -> Capabilities:
        """The same for every chat."""
        return self._capabilities

    def styled(self, style: Style) -> Platform:
        """Remember what was chosen; everything looks the same here."""
        self.styles.append(style)
        return self

    def places(self, chat: ChatRef) -> Collection[str]:
        """The chat itself, and what it lies in."""
        return (chat.id, self.lobby(chat).id)

    def lobby(self, chat: ChatRef) -> ChatRef:
        """The chat itself, or what stands before a slash in its id."""
        return ChatRef(chat.platform, ChatId(chat.id.partition("/")[0]))

    def is_id(self, text: str) -> bool:
        """Whether this is a number, perhaps with a letter before it."""
        return re.fullmatch(r"[A-Za-z]?[0-9]+", text) is not None

    async def run(self, sink: EventSink, ready: Callable[[], None]) -> None:
        """Hand over what people do; what the database does not take is offered again."""
        ready()
        while True:
            event = await self._events.get()
            while True:
                try:
                    await sink(event)
                    break
                except StoreError:
                    await self._clock.sleep(OFFER_AGAIN)

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        """Post a message."""
        return await self.carry_out(chat, lambda: self.post(None, chat, reply))

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        """Replace a message."""

        def replace() -> None:
            if ref not in self._messages:
                raise MessageGone("there is no such message")
            self._put(ref, reply)

        await self.carry_out(ref.chat, replace)

    async def delete(self, refs: Sequence[MessageRef]) -> None:
        """Remove messages."""

        def remove() -> None:
            if not self.deletable:
                raise PlatformError("the messages are too old to be deleted")
            for ref in refs:
                self.remove(ref)

        await self.carry_out(refs[0].chat, remove)

    def newest(self, chat: ChatRef) -> MessageRef | None:
        """The newest message that stands in the chat, of those that the bot was told of."""
        told = (ref for ref in self.refs(chat) if ref not in self._untold)
        return max(told, key=lambda ref: int(ref.id), default=None)

    async def sweep(
        self,
        chat: ChatRef,
        *,
        after: Sequence[MessageRef],
        keep: Collection[MessageRef],
        before: Collection[MessageRef] = (),
    ) -> None:
        """Delete what is newer than all of these, and not to be kept."""
        newest = max(int(ref.id) for ref in after)
        later = [int(ref.id) for ref in before if int(ref.id) > newest]
        for ref in self.refs(chat):
            is_there = newest < int(ref.id) < min(later, default=int(ref.id) + 1)
            if is_there and ref not in keep:
                self.remove(ref)

    def draft(
        self,
        answering: IncomingMessage,
        *,
        ref: MessageRef | None = None,
        stop: Button | None = None,
    ) -> Draft:
        """A native draft, or one that vanishes; a message that stands can only be edited."""
        if ref is None and self._capabilities.streaming is Streaming.NATIVE:
            return NativeDraft(self, answering.ref.chat, ephemeral=self._ephemeral)
        if ref is None and self._capabilities.vanishes:
            return PassingDraft(self, answering.ref.chat)
        return super().draft(answering, ref=ref, stop=stop)

    @asynccontextmanager
    async def typing(
        self, chat: ChatRef, answering: MessageRef | None = None
    ) -> AsyncIterator[None]:
        """Count who is typing where."""
        self.typings.append(chat)
        self.typing_now += 1
        try:
            yield
        finally:
            self.typing_now -= 1

    async def download(self, attachment: Attachment, to: Path) -> None:
        """Write the bytes that `contents` has for the attachment."""
        if attachment.id not in self.contents:
            raise PlatformError("there is no such file")
        if len(self.contents[attachment.id]) > self._capabilities.max_file_in:
            raise FileTooLarge(self._capabilities.max_file_in)
        await asyncio.to_thread(to.write_bytes, self.contents[attachment.id])

    async def notice(self, press: Event, text: str) -> None:
        """Remember the toast, if the event was not answered before."""
        if press.key not in self._noticed:
            self._noticed.add(press.key)
            self.notices.append(text)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    # ------------------------------------------------------------ what a person does

    def message(
        self,
        text: str = "hello",
        *,
        chat: ChatRef = CHAT,
        sender: Sender = ANN,
        attachments: tuple[Attachment, ...] = (),
        group: bool = False,
        addressed: bool = True,
    ) -> IncomingMessage:
        """A message as somebody would write it; nobody is told of it."""
        id = self._new_id()
        return IncomingMessage(
            key=f"{self.name}:{id}",
            ref=MessageRef(chat, id),
            sender=sender,
            text=text,
            attachments=attachments,
            group=group,
            addressed=addressed,
        )

    def happen(self, event: Event | Unreadable) -> None:
        """Somebody does something; `run` hands it over."""
        self._events.put_nowait(event)

    def say(self, text: str, *, chat: ChatRef = CHAT, sender: Sender = ANN) -> IncomingMessage:
        """Somebody writes to the bot."""
        message = self.message(text, chat=chat, sender=sender)
        self.happen(message)
        return message

    def press(self, label: str, *, chat: ChatRef = CHAT, sender: Sender = ANN) -> ButtonPress:
        """Somebody presses the newest button with this label. Raises `LookupError` without one."""
        found = [(ref, button) for ref, button in self._all_buttons(chat) if button.label == label]
        if not found:
            raise LookupError(label)
        ref, button = found[-1]
        key = f"{self.name}:{self._new_id()}"
        press = ButtonPress(key=key, ref=ref, sender=sender, value=button.value)
        self.happen(press)
        return press

    def press_stop(self, *, chat: ChatRef = CHAT, sender: Sender = ANN) -> StopPressed:
        """Somebody presses the platform's own Stop."""
        stop = StopPressed(key=f"{self.name}:{self._new_id()}", chat=chat, sender=sender)
        self.happen(stop)
        return stop
