"""The terminal as a `Platform`: what is typed becomes events, what the bot says is drawn."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from uuid import uuid4

from bot.core.capabilities import Capabilities, Streaming
from bot.core.i18n import texts
from bot.core.ports import Draft, EventSink, Platform
from bot.core.types import (
    Attachment,
    Button,
    ButtonPress,
    ChatId,
    ChatRef,
    CommandInfo,
    Event,
    IncomingMessage,
    MessageId,
    MessageRef,
    OutgoingFile,
    Reply,
    Sender,
    StopPressed,
    UserId,
)
from bot.errors import PlatformError
from bot.platforms.console.screen import Interrupted, Screen
from bot.platforms.console.typed import FILE_COMMAND_INFOS, Mistake, path_of, understand

NAME = "console"
CHAT = ChatRef(NAME, ChatId("local"))
CAPABILITIES = Capabilities(
    streaming=Streaming.NATIVE,
    max_text=1_000_000,  # a terminal scrolls: no answer needs a second page
    update_interval=0.05,
    max_buttons=100,
    max_file_in=2_000_000_000,
    max_file_out=2_000_000_000,
    stop_button=True,  # Ctrl-C
    answer_buttons=False,
)

_CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


class ConsolePlatform(Platform):
    """One chat on one screen, with one `person`. `files` is the folder for what the bot sends."""

    name = NAME

    def __init__(
        self,
        screen: Screen,
        *,
        wait_until_answered: Callable[[ChatRef], Awaitable[None]],
        language: str,
        files: Path,
        person: str = "",
    ) -> None:
        self._screen = screen
        self._wait_until_answered = wait_until_answered
        self._sender = Sender(UserId("local"), person, language)
        self._texts = texts(language)
        self._files = files
        self._buttons: list[tuple[MessageRef, Button]] = []
        self._asked: set[MessageRef] = set()

    def capabilities(self, chat: ChatRef) -> Capabilities:
        """The same for the one chat there is."""
        return CAPABILITIES

    def is_id(self, text: str) -> bool:
        """Whether this is the one person there is."""
        return text == self._sender.id

    # ------------------------------------------------------------ in

    async def run(self, sink: EventSink, ready: Callable[[], None]) -> None:
        """Send what is typed until there is no more; returns when the person leaves.

        Raises `PlatformError` when the one question of a pipe could not be answered.
        """
        ready()
        with self._screen.attended():
            while await self._take_in(sink):
                pass
        if self._screen.failure:
            raise PlatformError(self._screen.failure)

    async def _take_in(self, sink: EventSink) -> bool:
        """Read one input and send it; False when there is no more."""
        try:
            line = await self._screen.read()
        except Interrupted:
            await sink(self._stop())
            return True
        if line is None:
            return False
        event = await self._event(line)
        if event is not None:
            await sink(event)
            if self._screen.patient:
                await self._until_answered(sink)
        return True

    async def _event(self, line: str) -> Event | None:
        """What a line means: a pressed button, a message, or nothing that can be sent."""
        if line.isdecimal() and 1 <= int(line) <= len(self._buttons):
            ref, button = self._buttons[int(line) - 1]
            return ButtonPress(key=_new_key(), ref=ref, sender=self._sender, value=button.value)
        try:
            typed = understand(line, self._texts)
        except Mistake as mistake:
            await self._screen.complain(str(mistake))
            return None
        ref = _new_ref()
        self._asked.add(ref)
        return IncomingMessage(
            key=_new_key(),
            ref=ref,
            sender=self._sender,
            text=typed.text,
            attachments=typed.attachments,
        )

    async def _until_answered(self, sink: EventSink) -> None:
        """Wait for the answer; the first Ctrl-C stops it, the second ends the process."""
        loop, interrupted = asyncio.get_running_loop(), asyncio.Event()
        answered = asyncio.ensure_future(self._wait_until_answered(CHAT))
        interruption = asyncio.ensure_future(interrupted.wait())
        loop.add_signal_handler(signal.SIGINT, interrupted.set)
        try:
            await asyncio.wait({answered, interruption}, return_when=asyncio.FIRST_COMPLETED)
            if interrupted.is_set():
                loop.remove_signal_handler(signal.SIGINT)
                await sink(self._stop())
            await answered
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            interruption.cancel()
            answered.cancel()

    def _stop(self) -> StopPressed:
        return StopPressed(key=_new_key(), chat=CHAT, sender=self._sender)

    async def download(self, attachment: Attachment, to: Path) -> None:
        """Copy the file that was named. Raises `PlatformError` when it is gone."""
        try:
            await asyncio.to_thread(shutil.copyfile, path_of(attachment), to)
        except OSError as error:
            reason = error.strerror or "cannot be read"
            raise PlatformError(f"{attachment.name}: {reason.lower()}") from error

    # ------------------------------------------------------------ out

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        """Print a message and save its files. Raises `PlatformError`."""
        ref = _new_ref()
        await self.edit(ref, reply)
        return ref

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        """Print what is new of a message. Raises `PlatformError`."""
        await self._screen.settle(ref.id, _harmless(reply.text), failed=reply.failed)
        self._buttons = [(ref, button) for row in reply.buttons for button in row]
        if self._buttons:
            await self._screen.offer([_harmless(button.label) for _, button in self._buttons])
        for file in reply.files:
            path = await asyncio.to_thread(_save, file, self._files)
            await self._screen.saved(path, file.mime)

    async def delete(self, refs: Sequence[MessageRef]) -> None:
        """Nothing: what is printed stays."""

    def draft(
        self,
        answering: IncomingMessage,
        *,
        ref: MessageRef | None = None,
        stop: Button | None = None,
    ) -> Draft:
        """An answer that is printed while it grows; its Stop is Ctrl-C.

        On a pipe, an answer to an earlier process's question is silent.
        """
        ref = ref or _new_ref()
        if self._screen.patient and answering.ref not in self._asked:
            return SilentDraft(ref)
        return ConsoleDraft(self, self._screen, ref)

    @asynccontextmanager
    async def typing(
        self, chat: ChatRef, answering: MessageRef | None = None
    ) -> AsyncGenerator[None]:
        """Show that the bot is at work."""
        with self._screen.working():
            yield

    async def notice(self, press: Event, text: str) -> None:
        """Print a sentence in passing."""
        await self._screen.complain(text)

    async def publish(self, commands: Sequence[CommandInfo]) -> None:
        """Complete the commands while they are typed."""
        _ = self._texts.gettext
        known = (*commands, *FILE_COMMAND_INFOS)
        self._screen.suggest([replace(info, summary=_(info.summary)) for info in known])


class ConsoleDraft:
    """An answer on the screen while it is being written."""

    def __init__(self, platform: ConsolePlatform, screen: Screen, ref: MessageRef) -> None:
        self._platform = platform
        self._screen = screen
        self._ref = ref
        self._begun = False

    @property
    def ref(self) -> MessageRef | None:
        """The message, once something of it was shown."""
        return self._ref if self._begun else None

    async def status(self, text: str) -> None:
        """Draw it where the text will stand."""
        await self.show(text)

    async def show(self, text: str) -> None:
        """Draw the text so far."""
        self._begun = True
        await self._screen.show(self._ref.id, _harmless(text))

    async def finish(self, reply: Reply) -> MessageRef:
        """Print the rest, for good. Raises `PlatformError`."""
        self._begun = True
        await self._platform.edit(self._ref, reply)
        return self._ref


class SilentDraft:
    """An answer that nobody waits for here; it is only kept in the history."""

    def __init__(self, ref: MessageRef) -> None:
        self._ref = ref

    @property
    def ref(self) -> MessageRef | None:
        """The message that would be."""
        return self._ref

    async def status(self, text: str) -> None:
        """Show nothing."""

    async def show(self, text: str) -> None:
        """Show nothing."""

    async def finish(self, reply: Reply) -> MessageRef:
        """Print nothing."""
        return self._ref


def _harmless(text: str) -> str:
    """The text without control characters: a model must not drive the terminal."""
    return text.translate(_CONTROLS)


def _new_key() -> str:
    """A key that no earlier process used either."""
    return f"{NAME}:{uuid4().hex}"


def _new_ref() -> MessageRef:
    return MessageRef(CHAT, MessageId(uuid4().hex))


def _save(file: OutgoingFile, folder: Path) -> Path:
    """Write a file under a name that is free; in the temporary folder if it must be.

    Raises `PlatformError`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="chinwag-"))
    name = Path(_harmless(Path(file.name).name) or "file")
    for number in count(1):
        path = folder / (name if number == 1 else f"{name.stem}-{number}{name.suffix}")
        try:
            with path.open("xb") as target:
                target.write(file.content)
        except FileExistsError:
            continue
        except OSError as error:
            raise PlatformError(f"{path}: {error.strerror}") from error
        return path
    raise AssertionError("count() never ends")
