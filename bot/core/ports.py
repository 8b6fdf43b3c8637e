"""The edges of the core: what it needs from the outside, and nothing more.

A platform brings `Platform` and, where it can do better than edits, its own `Draft`. The API
client is a `ModelApi`. The database has a page of its own, `bot.core.stores`, and so has the
writing of numbers and times, `bot.core.formats`. A fake platform that behaves, edits, refuses and
limits stands in `bot.core.fakes.platform`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from bot.core.capabilities import Capabilities
from bot.core.chat import ChatRequest, ModelEvent
from bot.core.documents import Document
from bot.core.edit_draft import EditDraft
from bot.core.images import Drawing, ImageRequest, VariationRequest
from bot.core.models import ModelInfo, UsageEntry
from bot.core.recordings import ClipFile, Transcript, TranscriptionRequest
from bot.core.types import (
    Attachment,
    Button,
    ChatRef,
    CommandInfo,
    Event,
    Happening,
    IncomingMessage,
    MessageRef,
    Reply,
    Style,
)

# ---------------------------------------------------------------- time


class Clock(Protocol):
    """Time, passed in so that tests own it."""

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean anything."""

    async def sleep(self, seconds: float) -> None:
        """Wait; returns at once for zero or less."""

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], object]:
        """Call something after that time; returns what calls it off. Costs less than a task."""


# ---------------------------------------------------------------- chat platforms

EventSink: TypeAlias = Callable[[Happening], Awaitable[None]]
"""Takes an event; returns when it is committed (or known already). Raises `StoreError`: then the
event must not be acknowledged, and is offered again."""


class Draft(Protocol):
    """One message of an answer while it is being written.

    Every text given begins with the text given before it, so that a platform which can only
    append and one which only replaces both fit.
    """

    @property
    def ref(self) -> MessageRef | None:
        """The message as it stands in the chat; None before there is one."""

    async def status(self, text: str) -> None:
        """Say what goes on while there is no text yet; best effort. Raises like `show`.

        The words before the first “…” name the step; what comes after them are its details, which
        may change. Called only where messages are edited, or where `Capabilities.status` says so.
        """

    async def show(self, text: str) -> None:
        """Show the text so far; best effort.

        Raises `RateLimited`, `NotYourTurn` where others go first, `ChatGone`, `PlatformError`.
        """

    async def finish(self, reply: Reply) -> MessageRef:
        """Make the whole reply permanent; must get through.

        Raises `RateLimited` (call again later), `ChatGone`, `FileRefused`, `PlatformError`.
        """


class Platform(Protocol):
    """A place where people chat. Made by its folder's `connect`, which does no I/O.

    The core makes one call at a time for an answer, but others beside it: for commands, and for
    lines about messages that wait. Of the calls that change the messages of a chat the platform
    makes one after the other.

    A platform that inherits this has one style and no chats within chats, shows an answer as a
    message that is edited as it grows, and shows, remembers and looks for nothing more, as far as
    it says nothing else.
    """

    @property
    def name(self) -> str:
        """A short lower-case word: `telegram`, `slack`, `console`."""

    def capabilities(self, chat: ChatRef) -> Capabilities:
        """Answer from memory; never from the network."""

    def styled(self, style: Style) -> Platform:
        """The same platform, as it shows answers to a chat that has chosen this style."""
        return self

    def places(self, chat: ChatRef) -> Collection[str]:
        """The ids by which an operator can admit this chat: its own, and that of the chat it is in.

        A topic is admitted with its group, a thread with its channel.
        """
        return (chat.id,)

    def lobby(self, chat: ChatRef) -> ChatRef:
        """The chat that this one is in: a topic's group, a thread's channel; else itself."""
        return chat

    def is_id(self, text: str) -> bool:
        """Whether this looks like the id of a person or a chat here, and not like a name."""

    async def run(self, sink: EventSink, ready: Callable[[], None]) -> None:
        """Connect and hand events to `sink` until cancelled; call `ready` once, when connected.

        An event counts as accepted only when `sink` has returned. Survives network faults by
        itself; raises `ConfigError` when the token is wrong.
        """

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        """Post a message, with its files; returns the (first) message.

        Raises `RateLimited`, `ChatGone`, `OutcomeUnknown`, `FileRefused`, `PlatformError`.
        """

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        """Replace a message's text and buttons. A text that is there already is success.

        Files of the reply are posted after it; so is the text where nothing that stands can be
        changed. Raises like `send`, and `MessageGone`.
        """

    async def delete(self, refs: Sequence[MessageRef]) -> None:
        """Remove messages of the bot's own, where that can be; those gone already are success.

        For pages that an answer no longer needs after it was rewritten, of one chat and at most
        `Capabilities.max_deletions` of them. Raises `RateLimited`, `ChatGone`, `PlatformError`.
        """

    def draft(
        self,
        answering: IncomingMessage,
        *,
        ref: MessageRef | None = None,
        stop: Button | None = None,
    ) -> Draft:
        """Begin a message of an answer or, with `ref`, go on with one that stands in the chat.

        No I/O before the first `show` or `finish`. `stop` is shown under the text while it is being
        written, where the platform has no Stop of its own (`Capabilities.stop_button`).
        """
        able = self.capabilities(answering.chat)
        has_stop = able.max_buttons > 0 and not able.stop_button
        return EditDraft(
            self.send, self.edit, answering.ref, ref=ref, stop=stop if has_stop else None
        )

    def typing(
        self, chat: ChatRef, answering: MessageRef | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Show that the bot is at work while the block runs. Never raises a `PlatformError`.

        `answering` is the message it works on, or the one in which the answer is to stand, where
        the chat shows it there.
        """
        return nullcontext()

    def newest(self, chat: ChatRef) -> MessageRef | None:
        """The newest message of the bot's own in a chat, as far as is remembered."""
        return None

    async def sweep(
        self,
        chat: ChatRef,
        *,
        after: Sequence[MessageRef],
        keep: Collection[MessageRef],
        before: Collection[MessageRef] = (),
    ) -> None:
        """Delete what the bot has posted after all of these messages, but nothing in `keep`.

        And, where there are messages `before` which it was posted, only that: of those that come
        later than `after`, the first is meant.

        For what a process posted that died before it wrote down where. Does what the platform
        lets it find, and can be done again. Raises `PlatformError`.
        """
        return

    async def download(self, attachment: Attachment, to: Path) -> None:
        """Fetch a file's bytes to `to`.

        Raises `FileTooLarge`, `MediaError` (WITHHELD), `PlatformError`.
        """

    async def publish(self, commands: Sequence[CommandInfo]) -> None:
        """Tell the platform which commands exist, where it can be told. Raises `PlatformError`."""
        return

    async def notice(self, press: Event, text: str) -> None:
        """Answer a button press with a toast, or do nothing. Raises no `PlatformError`.

        A press is answered once: a second text may not be shown.
        """
        return

    async def close(self) -> None:
        """Close connections; called last, once."""
        return


# ---------------------------------------------------------------- what comes in over HTTP


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What somebody posted to a path of ours; names of headers are in lower case."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What is answered to it."""

    status: int = 200
    text: str = ""
    retry_after: int | None = None
    """Seconds after which it may be posted again."""


HandlePost: TypeAlias = Callable[[Post], Awaitable[Posted]]


class Web(Protocol):
    """The bot's own web server, for platforms that send their events to an address."""

    def on_post(self, path: str, handle: HandlePost) -> None:
        """Let `handle` answer what is posted to `path`; before the server runs.

        Anybody may post: `handle` must see for itself that it is the platform.
        """


# ---------------------------------------------------------------- the API


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHealth:
    """An address of the API, failures in a row, and whether it is left alone for them.

    From one that is `silent` nothing comes at all; it is left alone for that.
    """

    host: str
    failures: int
    resting: bool
    silent: bool


class ModelApi(Protocol):
    """An OpenAI-compatible API. Every method raises `ModelError`."""

    def stream(
        self,
        request: ChatRequest,
        *,
        sent: Callable[[], None] = lambda: None,
        unheard: Callable[[], None] = lambda: None,
    ) -> AsyncGenerator[ModelEvent, None]:
        """Ask for an answer, and yield it as it is written.

        `sent` is called when the request goes out, here and below: it may be billed from then on.
        `unheard` is called when nothing at all comes from the API; it is waited for all the same.

        A whole answer ends with `Finished`; an answer cut short raises `ModelError(CUT)`. Closing
        the generator (`contextlib.aclosing`) closes the connection.
        """

    async def draw(
        self, request: ImageRequest, *, sent: Callable[[], None] = lambda: None
    ) -> Drawing:
        """Draw pictures of a prompt, or redraw those that the request brings.

        BAD_REQUEST before anything is paid where a size, a word or the mask cannot be right.
        """

    async def vary(
        self, request: VariationRequest, *, sent: Callable[[], None] = lambda: None
    ) -> Drawing:
        """Draw variations of a picture; UNSUPPORTED at the many APIs that have no such endpoint."""

    async def transcribe(
        self,
        request: TranscriptionRequest,
        *,
        sent: Callable[[], None] = lambda: None,
        unheard: Callable[[], None] = lambda: None,
    ) -> Transcript:
        """Write down what is said."""

    async def models(self) -> Sequence[ModelInfo]:
        """The live model list, sorted by id; may be some minutes old."""

    async def about(self, model: str) -> ModelInfo:
        """What is known about a model, be it listed or not. Raises nothing."""

    def endpoints(self) -> Sequence[EndpointHealth]:
        """The addresses it is asked at and how they are doing; from memory."""

    def priced(self, entry: UsageEntry) -> UsageEntry:
        """Fill in the cost where the price is known."""


TokenCounter: TypeAlias = Callable[[str], int]
"""How many tokens a text takes, offline and approximately."""


class AudioTools(Protocol):
    """Makes audio fit for the API. Every method raises `MediaError`; may be slow, is awaitable."""

    async def prepare(
        self, path: Path, *, name: str, max_bytes: int, folder: Path
    ) -> Sequence[ClipFile]:
        """Look into the file and return it as clips the API takes, in order.

        They are files in `folder`, since a long recording does not belong into memory.

        One clip, as it came, when container and size fit; else converted, and split at silence.
        """


class DocumentReader(Protocol):
    """Reads what a document says."""

    async def read(
        self, path: Path, *, name: str, mime: str, characters: int, scans: int
    ) -> Document:
        """Read at most about `characters`, and draw at most `scans` pages that hold no text.

        Raises `MediaError` (EMPTY, NOT_DOCUMENT, PACKED, OUTDATED, LOCKED, TOO_LARGE).
        """


PictureFitter: TypeAlias = Callable[[bytes], Awaitable[tuple[str, bytes]]]
"""Checks that it is a picture, and makes it no larger than a model needs: `(mime, data)`.

Raises `MediaError` (NOT_IMAGE, TOO_LARGE, EMPTY)."""
