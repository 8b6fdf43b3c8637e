"""The edges of the core: what it needs from the outside, and nothing more.

A platform brings `Platform` and, where it can do better than edits, its own `Draft`. The API
client is a `ModelApi`. The database is `Stores`. A fake platform that behaves, edits, refuses and
limits stands in `bot.core.fake`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Protocol, TypeAlias

from bot.core.chat import (
    AudioClip,
    ChatRequest,
    ImageRequest,
    KeptMessage,
    ModelEvent,
    ModelInfo,
    NewMessage,
    Picture,
    TranscriptionRequest,
    UsageEntry,
)
from bot.core.types import (
    Attachment,
    Button,
    ChatRef,
    CommandInfo,
    Event,
    IncomingMessage,
    MessageRef,
    Reply,
    Sender,
    Unreadable,
    UserId,
)

# ---------------------------------------------------------------- time


class Clock(Protocol):
    """Time, passed in so that tests own it."""

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; returns at once for zero or less."""
        ...


# ---------------------------------------------------------------- chat platforms

EventSink: TypeAlias = Callable[[Event | Unreadable], Awaitable[None]]
"""Takes an event; returns when it is committed (or known already). Raises `StoreError`: then the
event must not be acknowledged, and is offered again."""


class Streaming(Enum):
    """How an answer can be shown while it is being written."""

    NATIVE = "native"  # the platform draws a message that is still being written
    EDIT = "edit"  # a posted message is edited as it grows
    NONE = "none"  # only whole messages can be sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What one chat can do. The core branches on these, never on a platform's name.

    `max_text` is in the platform's own unit, and `measure` says how much of it a Markdown text
    takes once rendered. Sizes of files are in bytes; `update_interval` is in seconds.
    """

    streaming: Streaming
    max_text: int
    update_interval: float
    measure: Callable[[str], int] = len
    max_buttons: int = 0
    max_file_in: int = 0
    max_file_out: int = 0
    typing: bool = False
    stop_button: bool = False
    """The platform shows its own Stop while an answer is being written."""


class Draft(Protocol):
    """One message of an answer while it is being written.

    Every text given begins with the text given before it, so that a platform which can only
    append and one which only replaces both fit.
    """

    @property
    def ref(self) -> MessageRef | None:
        """The message as it stands in the chat; None before there is one."""
        ...

    async def show(self, text: str) -> None:
        """Show the text so far; best effort. Raises `RateLimited`, `ChatGone`, `PlatformError`."""
        ...

    async def finish(self, reply: Reply) -> MessageRef:
        """Make the whole reply permanent; must get through.

        Raises `RateLimited` (call again later), `ChatGone`, `PlatformError`.
        """
        ...


class Platform(Protocol):
    """A place where people chat. Made by its folder's `connect`, which does no I/O."""

    @property
    def name(self) -> str:
        """A short lower-case word: `telegram`, `slack`, `console`."""
        ...

    def capabilities(self, chat: ChatRef) -> Capabilities:
        """Answer from memory; never from the network."""
        ...

    def places(self, chat: ChatRef) -> Collection[str]:
        """The names by which an operator admits this chat: its own, and what it lies in.

        A topic is admitted with its group, a thread with its channel.
        """
        ...

    async def run(self, sink: EventSink, ready: Callable[[], None]) -> None:
        """Connect and hand events to `sink` until cancelled; call `ready` once, when connected.

        An event counts as accepted only when `sink` has returned. Survives network faults by
        itself; raises `ConfigError` when the token is wrong.
        """
        ...

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        """Post a message, with its files; returns the (first) message.

        Raises `RateLimited`, `ChatGone`, `OutcomeUnknown`, `FileTooLarge`, `PlatformError`.
        """
        ...

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        """Replace a message's text and buttons. A text that is there already is success.

        Files of the reply are posted after it. Raises like `send`, and `MessageGone`.
        """
        ...

    async def delete(self, ref: MessageRef) -> None:
        """Remove a message of the bot's own; one that is gone already is success.

        For a page that an answer no longer needs after it was rewritten. Raises `RateLimited`,
        `ChatGone`, `PlatformError`.
        """
        ...

    def draft(self, answering: IncomingMessage, *, stop: Button | None = None) -> Draft:
        """Begin an answer. No I/O before the first `show` or `finish`.

        `stop` is shown under the text while it is being written, where the platform has no Stop
        of its own (`Capabilities.stop_button`).
        """
        ...

    def reopen(
        self, ref: MessageRef, answering: IncomingMessage, *, stop: Button | None = None
    ) -> Draft:
        """Go on with a message that stands in the chat, after a restart. No I/O yet."""
        ...

    def typing(self, chat: ChatRef) -> AbstractAsyncContextManager[None]:
        """Show that the bot is at work while the block runs. Never raises a `PlatformError`."""
        ...

    async def download(self, attachment: Attachment, to: Path) -> None:
        """Fetch a file's bytes to `to`. Raises `FileTooLarge`, `PlatformError`."""
        ...

    async def publish(self, commands: Sequence[CommandInfo]) -> None:
        """Tell the platform which commands exist, where it can be told. Raises `PlatformError`."""
        ...

    async def notice(self, press: Event, text: str) -> None:
        """Answer a button press in passing (a toast), or do nothing. Raises no `PlatformError`."""
        ...

    async def close(self) -> None:
        """Close connections; called last, once."""
        ...


# ---------------------------------------------------------------- the API


class ModelApi(Protocol):
    """An OpenAI-compatible API. Every method raises `ModelError`."""

    def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        """Ask for an answer, and yield it as it is written.

        A whole answer ends with `Finished`; an answer cut short raises `ModelError(CUT)`. Closing
        the generator (`contextlib.aclosing`) closes the connection.
        """
        ...

    async def draw(self, request: ImageRequest) -> Sequence[Picture]:
        """Draw pictures."""
        ...

    async def transcribe(self, request: TranscriptionRequest) -> str:
        """Write down what is said; an empty text when nothing is."""
        ...

    async def models(self) -> Sequence[ModelInfo]:
        """The live model list, sorted by id; may be some minutes old."""
        ...

    def priced(self, entry: UsageEntry) -> UsageEntry:
        """Fill in the cost where the price is known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Which models are used when a chat has not chosen: from the configuration."""

    model: str
    image_model: str = ""
    transcription_model: str = ""
    system_prompt: str = ""
    context_window: int = 32_000
    """Tokens assumed for a model whose window is unknown."""


TokenCounter: TypeAlias = Callable[[str], int]
"""How many tokens a text takes, offline and approximately."""


class AudioTools(Protocol):
    """Makes audio fit for the API. Every method raises `MediaError`; may be slow, is awaitable."""

    async def prepare(self, path: Path, *, name: str, max_bytes: int) -> Sequence[AudioClip]:
        """Look into the file and return it as clips the API takes, in order.

        One clip, as it came, when container and size fit; else converted, and split at silence.
        """
        ...


PictureFitter: TypeAlias = Callable[[bytes], Awaitable[tuple[str, bytes]]]
"""Checks that it is a picture, and makes it no larger than a model needs: `(mime, data)`.

Raises `MediaError` (NOT_IMAGE, TOO_LARGE, EMPTY)."""


# ---------------------------------------------------------------- the database


class TurnState(StrEnum):
    """Where a turn stands. A turn is one event that asks for work."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    DEAD = "dead"  # failed too often, or unreadable; kept for the operator


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What became of an event: `fresh` unless it was known; `ahead` turns stand before it."""

    turn_id: int
    fresh: bool
    ahead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One event being worked on. `partial` and `shown` are what an earlier attempt left."""

    id: int
    chat: ChatRef
    event: Event
    attempt: int = 1
    partial: str = ""
    shown: tuple[MessageRef, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a finished turn leaves behind, written in one transaction with its end."""

    conversation: int | None = None
    messages: tuple[NewMessage, ...] = ()
    usage: tuple[UsageEntry, ...] = ()


class TurnQueue(Protocol):
    """The inbox, which is the queue: a turn in the table is the truth, a wake-up only a hint.

    At most one turn per chat is running that is not urgent; turns of a chat run in the order in
    which they were accepted. Every method raises `StoreError`.
    """

    async def accept(self, event: Event, *, urgent: bool) -> Accepted:
        """Commit an event as a waiting turn; a key that is known changes nothing.

        Urgent turns (Stop, buttons) pass by the lane. Raises `QueueFull`.
        """
        ...

    async def bury(self, event: Unreadable) -> None:
        """Keep an event that nobody can read as a dead turn."""
        ...

    async def announce(self, turn_id: int, ref: MessageRef) -> None:
        """A message stands in the chat for a turn that waits; its answer takes that place."""
        ...

    async def claim(self, owner: str) -> Turn | None:
        """Take the oldest turn that may run: urgent, or of a chat where nothing runs."""
        ...

    async def checkpoint(self, turn_id: int, *, partial: str, shown: Sequence[MessageRef]) -> None:
        """Remember how far the answer is and which messages it stands in."""
        ...

    async def finish(self, turn_id: int, outcome: Outcome) -> None:
        """Done: keep the messages and the usage, in the same transaction."""
        ...

    async def cancel(self, turn_id: int, outcome: Outcome) -> None:
        """Stopped by the person: what was written is kept."""
        ...

    async def release(self, turn_id: int) -> None:
        """Give the turn back, as if its attempt had not been (shutdown)."""
        ...

    async def fail(self, turn_id: int, reason: str, *, dead: bool) -> None:
        """The attempt failed: the turn waits again, or is dead."""
        ...

    async def recover(self, owner: str) -> int:
        """At start: turns that ran when the process died wait again, their attempt counted."""
        ...

    async def ahead(self, turn_id: int) -> int:
        """How many turns of the same chat stand before this one."""
        ...


class Conversations(Protocol):
    """The history of every chat. Every method raises `StoreError`."""

    async def current(self, chat: ChatRef) -> int:
        """The id of the chat's conversation; begins one when there is none."""
        ...

    async def begin(self, chat: ChatRef) -> int:
        """Begin a new conversation; the old one is kept."""
        ...

    async def page(
        self, conversation: int, *, before: int | None = None, limit: int = 50
    ) -> Sequence[KeptMessage]:
        """The newest messages older than the message id `before`, oldest first."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """What a chat has chosen. Empty means the operator's default."""

    model: str = ""
    image_model: str = ""
    system_prompt: str = ""
    language: str = ""


class SettingsStore(Protocol):
    """Settings per chat. Every method raises `StoreError`."""

    async def load(self, chat: ChatRef) -> ChatSettings:
        """The chat's settings; the defaults when it has none."""
        ...

    async def save(self, chat: ChatRef, settings: ChatSettings) -> None:
        """Replace the chat's settings."""
        ...


class Users(Protocol):
    """Who has spoken to the bot. Every method raises `StoreError`."""

    async def seen(self, platform: str, sender: Sender) -> None:
        """Remember name and language of somebody who wrote."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a button does, kept here because a button carries only an opaque id.

    `owner` is the only one who may press it; empty: everybody in the chat.
    """

    name: str
    argument: str = ""
    owner: UserId | None = None


class Actions(Protocol):
    """What the buttons do. Every method raises `StoreError`."""

    async def offer(self, chat: ChatRef, actions: Sequence[Action]) -> Sequence[str]:
        """Keep the actions; returns a button value for each, in order."""
        ...

    async def taken(self, chat: ChatRef, value: str) -> Action | None:
        """What the button of this chat with this value does; None when it is unknown."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The database, port by port."""

    turns: TurnQueue
    conversations: Conversations
    settings: SettingsStore
    users: Users
    actions: Actions


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may speak to the bot. Entries are `platform:id`; an empty list lets nobody in."""

    open: bool = False
    admins: frozenset[str] = field(default_factory=frozenset)
    users: frozenset[str] = field(default_factory=frozenset)
    chats: frozenset[str] = field(default_factory=frozenset)
