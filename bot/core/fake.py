"""A chat platform that lives in memory.

The platform behaves: it shows, edits, refuses, limits, loses answers and keeps what a person would
see. It is shipped beside the ports as the least that a platform must do, and so that every test of
the core can own both ends of the conversation.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import (
    AsyncIterator,
    Callable,
    Collection,
    Iterator,
    Sequence,
)
from contextlib import asynccontextmanager
from pathlib import Path

from bot.core.draft import EditDraft
from bot.core.fake_wire import FakeWire
from bot.core.manual_clock import ManualClock
from bot.core.ports import Capabilities, Clock, Draft, EventSink, Platform, Streaming
from bot.core.types import (
    Attachment,
    Button,
    ButtonPress,
    ChatId,
    ChatRef,
    CommandInfo,
    Event,
    FileId,
    IncomingMessage,
    MessageId,
    MessageRef,
    OutgoingFile,
    Reply,
    Sender,
    StopPressed,
    Style,
    Unreadable,
    UserId,
)
from bot.errors import (
    FileTooLarge,
    MessageGone,
    PlatformError,
    StoreError,
)

__all__ = ["ANN", "CHAT", "FAKE_CAPABILITIES", "FakePlatform", "ManualClock", "NativeDraft"]

CHAT = ChatRef("fake", ChatId("1"))
ANN = Sender(UserId("1"), "Ann")
FAKE_CAPABILITIES = Capabilities(
    streaming=Streaming.EDIT,
    max_text=4000,
    update_interval=1.0,
    max_buttons=100,
    max_file_in=20_000_000,
    max_file_out=50_000_000,
    typing=True,
    folds=True,
)
OFFER_AGAIN = 1.0
"""Seconds until an event is offered again that the database did not take."""


class FakePlatform(FakeWire):
    """A platform in memory. The bot's side is the port; the rest is a person's, and fate's.

    `frames` is what stood in the chat after each change, and `sent` every reply that got through.
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
        super().__init__(clock)
        self.frames: list[list[str]] = []
        self.sent: list[Reply] = []
        self.typings: list[ChatRef] = []
        self.typing_now = 0
        self.notices: list[str] = []
        self.statuses: list[str] = []
        self.styles: list[Style] = []
        self.published: list[CommandInfo] = []
        self.contents: dict[FileId, bytes] = {}
        self.closed = False
        self.deletable = True
        self._capabilities = capabilities
        self._ephemeral = ephemeral
        self._messages: dict[MessageRef, Reply] = {}
        self._previews: dict[int, tuple[ChatRef, str]] = {}
        self._files: list[tuple[ChatRef, OutgoingFile]] = []
        self._events: asyncio.Queue[Event | Unreadable] = asyncio.Queue()
        self._numbers = itertools.count(1)

    # ------------------------------------------------------------ the port

    def capabilities(self, chat: ChatRef) -> Capabilities:
        """The same for every chat."""
        return self._capabilities

    def styled(self, style: Style) -> Platform:
        """Remember what was chosen; everything looks the same here."""
        self.styles.append(style)
        return self

    def places(self, chat: ChatRef) -> Collection[str]:
        """A chat lies in nothing larger here."""
        return (chat.id,)

    def lobby(self, chat: ChatRef) -> ChatRef:
        """The chat itself, or what stands before a slash in its id."""
        return ChatRef(chat.platform, ChatId(chat.id.partition("/")[0]))

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

        def post() -> MessageRef:
            ref = MessageRef(chat, self._new_id())
            self._put(ref, reply)
            return ref

        return await self.carry_out(chat, post)

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        """Replace a message."""

        def replace() -> None:
            if ref not in self._messages:
                raise MessageGone("there is no such message")
            self._put(ref, reply)

        await self.carry_out(ref.chat, replace)

    async def delete(self, ref: MessageRef) -> None:
        """Remove a message."""

        def remove() -> None:
            if not self.deletable:
                raise PlatformError("the message is too old to be deleted")
            self.remove(ref)

        await self.carry_out(ref.chat, remove)

    def newest(self, chat: ChatRef) -> MessageRef | None:
        """The newest message that stands in the chat."""
        return max(self.refs(chat), key=lambda ref: int(ref.id), default=None)

    async def sweep(
        self, chat: ChatRef, *, after: Sequence[MessageRef], keep: Collection[MessageRef]
    ) -> None:
        """Delete what is newer than all of these, and not to be kept."""
        newest = max(int(ref.id) for ref in after)
        for ref in self.refs(chat):
            if int(ref.id) > newest and ref not in keep:
                self.remove(ref)

    def draft(self, answering: IncomingMessage, *, stop: Button | None = None) -> Draft:
        """A native draft, one that vanishes or one that is edited, as the capabilities say."""
        if self._capabilities.streaming is Streaming.NATIVE:
            return NativeDraft(self, answering.ref.chat, ephemeral=self._ephemeral)
        if self._capabilities.vanishes:
            return PassingDraft(self, answering.ref.chat)
        return EditDraft(self, answering, stop=stop)

    def reopen(
        self, ref: MessageRef, answering: IncomingMessage, *, stop: Button | None = None
    ) -> Draft:
        """A message that stands can only be edited."""
        return EditDraft(self, answering, ref=ref, stop=stop)

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

    async def publish(self, commands: Sequence[CommandInfo]) -> None:
        """Remember the menu."""
        self.published = list(commands)

    async def notice(self, press: Event, text: str) -> None:
        """Remember the toast."""
        self.notices.append(text)

    async def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True

    # ------------------------------------------------------------ what a person sees and does

    def screen(self, chat: ChatRef = CHAT) -> list[str]:
        """The bot's texts that somebody in the chat sees now."""
        return self.kept(chat) + [text for at, text in self._previews.values() if at == chat]

    def kept(self, chat: ChatRef = CHAT) -> list[str]:
        """The bot's texts that somebody in the chat will see tomorrow."""
        return [reply.text for ref, reply in self._messages.items() if ref.chat == chat]

    def buttons(self, chat: ChatRef = CHAT) -> list[str]:
        """The labels of all buttons in the chat."""
        return [button.label for _, button in self._all_buttons(chat)]

    def files(self, chat: ChatRef = CHAT) -> list[OutgoingFile]:
        """The files that the bot posted in the chat."""
        return [file for at, file in self._files if at == chat]

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

    def remove(self, ref: MessageRef) -> None:
        """Somebody deletes a message."""
        if self._messages.pop(ref, None) is not None:
            self._show(ref.chat)

    def refs(self, chat: ChatRef = CHAT) -> list[MessageRef]:
        """The bot's messages in the chat, oldest first."""
        return [ref for ref in self._messages if ref.chat == chat]

    def _all_buttons(self, chat: ChatRef) -> Iterator[tuple[MessageRef, Button]]:
        for ref, reply in self._messages.items():
            if ref.chat == chat:
                for row in reply.buttons:
                    for button in row:
                        yield ref, button

    # ------------------------------------------------------------ what stands in the chat

    def _new_id(self) -> MessageId:
        return MessageId(str(next(self._numbers)))

    def _put(self, ref: MessageRef, reply: Reply) -> None:
        self._check(reply)
        self._messages[ref] = reply
        self._files.extend((ref.chat, file) for file in reply.files)
        self.sent.append(reply)
        self._show(ref.chat)

    def _check(self, reply: Reply) -> None:
        size = self._capabilities.measure(reply.text)
        if size > self._capabilities.max_text:
            raise PlatformError(f"the text is too long: {size}")
        if not reply.text.strip() and not reply.files:
            raise PlatformError("the text is empty")
        if any(len(file.content) > self._capabilities.max_file_out for file in reply.files):
            raise FileTooLarge(self._capabilities.max_file_out)

    def _show(self, chat: ChatRef) -> None:
        self.frames.append(self.screen(chat))

    def preview(self, draft: int, chat: ChatRef, text: str) -> None:
        """Show a text that is no message; an empty one shows nothing."""
        self._check(Reply(text=text or "-"))
        self._previews.pop(draft, None)
        if text:
            self._previews[draft] = (chat, text)
            self._show(chat)

    def forget_previews(self, chat: ChatRef) -> None:
        """Texts that are no message make way for one."""
        gone = [draft for draft, (at, _) in self._previews.items() if at == chat]
        for draft in gone:
            del self._previews[draft]

    def post(self, ref: MessageRef | None, chat: ChatRef, reply: Reply) -> MessageRef:
        """Put a message where it stands, or a new one at the end."""
        ref = ref or MessageRef(chat, self._new_id())
        self._put(ref, reply)
        return ref


class PassingDraft:
    """A draft that is no message before it is finished, and is replaced by every text."""

    def __init__(self, platform: FakePlatform, chat: ChatRef) -> None:
        self._platform = platform
        self._chat = chat
        self._ref: MessageRef | None = None

    @property
    def ref(self) -> MessageRef | None:
        """The message in the chat, once there is one."""
        return self._ref

    async def status(self, text: str) -> None:
        """Show it like a text."""
        await self.show(text)

    async def show(self, text: str) -> None:
        """Replace what is shown."""
        await self._platform.carry_out(
            self._chat, lambda: self._platform.preview(id(self), self._chat, text)
        )

    async def finish(self, reply: Reply) -> MessageRef:
        """Post a message; what was shown of anything is gone with it."""

        def keep() -> MessageRef:
            self._platform.forget_previews(self._chat)
            return self._platform.post(self._ref, self._chat, reply)

        self._ref = await self._platform.carry_out(self._chat, keep)
        return self._ref


class NativeDraft:
    """A draft that can only be appended to, strictly: every other text is a mistake of ours."""

    def __init__(self, platform: FakePlatform, chat: ChatRef, *, ephemeral: bool) -> None:
        self._platform = platform
        self._chat = chat
        self._ephemeral = ephemeral
        self._given = ""
        self._ref: MessageRef | None = None

    @property
    def ref(self) -> MessageRef | None:
        """The message in the chat, once there is one."""
        return self._ref

    async def status(self, text: str) -> None:
        """Remember what was said to go on."""
        await self._platform.carry_out(self._chat, lambda: self._platform.statuses.append(text))

    async def show(self, text: str) -> None:
        """Append what is new. Raises `ValueError` when it is not an addition."""
        self._append(text)
        if self._ephemeral:
            await self._platform.carry_out(
                self._chat, lambda: self._platform.preview(id(self), self._chat, text)
            )
        else:
            self._ref = await self._platform.carry_out(
                self._chat, lambda: self._platform.post(self._ref, self._chat, Reply(text=text))
            )

    async def finish(self, reply: Reply) -> MessageRef:
        """Append the rest and keep it. Raises `ValueError` when it is not an addition."""
        self._append(reply.text)

        def keep() -> MessageRef:
            self._platform.preview(id(self), self._chat, "")
            return self._platform.post(self._ref, self._chat, reply)

        self._ref = await self._platform.carry_out(self._chat, keep)
        return self._ref

    def _append(self, text: str) -> None:
        if not text.startswith(self._given):
            raise ValueError(f"{text!r} does not begin with {self._given!r}")
        self._given = text
