"""What crosses the border between a chat platform and the core.

Ids are opaque: only the platform that made one parses it, in the file that makes it. A team,
a topic, a thread ride inside the id of the chat.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, TypeAlias

ChatId = NewType("ChatId", str)
MessageId = NewType("MessageId", str)
UserId = NewType("UserId", str)
FileId = NewType("FileId", str)


@dataclass(frozen=True, slots=True)
class ChatRef:
    """One conversation place: a private chat, a group, a Telegram topic, a Slack thread or DM."""

    platform: str
    id: ChatId


@dataclass(frozen=True, slots=True)
class MessageRef:
    """One message in a chat."""

    chat: ChatRef
    id: MessageId


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent something. `language` is an IETF tag as the client reports it, e.g. `zh-hans`."""

    id: UserId
    name: str
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a platform."""

    platform: str
    id: UserId

    def __str__(self) -> str:
        """As an operator writes them: `telegram:1001`."""
        return f"{self.platform}:{self.id}"

    @classmethod
    def of(cls, subject: str) -> Person:
        """Undo `str`."""
        platform, _colon, id = subject.partition(":")
        return cls(platform, UserId(id))


class FileKind(StrEnum):
    """What a file is for, as the platform labels it; its bytes may disagree."""

    IMAGE = "image"
    VOICE = "voice"  # recorded in the chat: meant to be heard as speech
    AUDIO = "audio"  # an audio file
    VIDEO = "video"
    STICKER = "sticker"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file somebody sent: an id, not bytes, so that it can be stored and fetched later.

    `size` is in bytes and `seconds` the playing time, where the platform says so.
    """

    id: FileId
    kind: FileKind
    mime: str
    size: int | None = None
    name: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The message that somebody replied to.

    `opening`: it only began the thread in which they wrote. It is told once in a conversation, and
    what cannot be read of it stands in no question's way.
    """

    ref: MessageRef
    author: str
    text: str
    by_bot: bool = False
    attachments: tuple[Attachment, ...] = ()
    opening: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """What somebody else has said elsewhere, and was passed on; `text` may be empty."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """The words of one of several messages that are answered as one; may be empty."""

    ref: MessageRef
    text: str


LATE = 86_400.0
"""Seconds after which the turn of a message may have been deleted from the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingMessage:
    """Somebody wrote, spoke or sent a file."""

    key: str
    """The platform's own key of the event: the same event delivered twice has the same key."""
    ref: MessageRef
    sender: Sender
    text: str
    """What was typed, without the mention of the bot; a command begins with a slash, whatever the
    platform has people write before it (`Capabilities.command_mark`)."""
    attachments: tuple[Attachment, ...] = ()
    reply_to: Quote | None = None
    forwards: tuple[Forward, ...] = ()
    """Messages of others that are only passed on. They are not in `text`: a forwarded command is no
    command."""
    group: bool = False
    """Several people take part in the chat."""
    addressed: bool = True
    """The bot was spoken to: a private chat, a mention, a reply to the bot, a command."""
    edited: bool = False
    late: bool = False
    """An edit that is not answered if the message is unknown. It came so long (`LATE`) after the
    message that its turn may have been deleted; or it is none (Telegram reports reactions so)."""
    gesture: str = ""
    """A second key, where the platform gives one. It is the same when the person's app sent the
    message twice over a bad connection, and the platform took it for two."""
    album: str = ""
    """The same for all messages of an album: pictures, or the parts of a text too long for one
    message."""
    lines: tuple[Line, ...] = ()
    """The messages that were put together to this one, if any; `text` has the words of all."""
    declined: bool = False
    """Too many messages waited when it came. It is not answered, only its sender is told so; `text`
    and files are not kept."""

    @property
    def chat(self) -> ChatRef:
        """Where it was said."""
        return self.ref.chat


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPress:
    """Somebody pressed a button; `ref` is the message that bears it, `value` the button's."""

    key: str
    ref: MessageRef
    sender: Sender
    value: str
    group: bool = False

    @property
    def chat(self) -> ChatRef:
        """The chat of the message with the button."""
        return self.ref.chat

    def as_message(self, text: str, *, ref: MessageRef | None = None) -> IncomingMessage:
        """A message with this `text` in place of the press; `ref` is its message, if it has one."""
        return IncomingMessage(
            key=self.key, ref=ref or self.ref, sender=self.sender, text=text, group=self.group
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StopPressed:
    """Somebody pressed the platform's own Stop while an answer was being written."""

    key: str
    chat: ChatRef
    sender: Sender


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An event that the adapter could not parse; kept as it came, for the operator."""

    key: str
    platform: str
    raw: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMoved:
    """A chat has got another id: all that belongs to the `old` one belongs to the `new` one now.

    With `threads` also the chats within it move, whose ids begin with that of the chat.
    """

    old: ChatRef
    new: ChatRef
    threads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A person's message was deleted in the chat, `age` seconds after it was written.

    `key` is that of the message's own event, which may come later than this one, or never.
    """

    key: str
    ref: MessageRef
    age: float

    @property
    def chat(self) -> ChatRef:
        """Where it stood."""
        return self.ref.chat


Event: TypeAlias = IncomingMessage | ButtonPress | StopPressed
"""What asks for work."""
Happening: TypeAlias = Event | Unreadable | ChatMoved | Withdrawal
"""What a platform reports. An `Unreadable` is only kept for the operator."""


@dataclass(frozen=True, slots=True)
class Button:
    """`value` comes back in a `ButtonPress`; at most 64 bytes of UTF-8 (Telegram's limit)."""

    label: str
    value: str


ButtonRow: TypeAlias = tuple[Button, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """The platform's own question whether an answer was good: the values of its two buttons.

    One of them comes back in a `ButtonPress`. At most 2,000 characters (Slack's limit).
    """

    good: str
    bad: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingFile:
    """A file the bot sends."""

    name: str
    mime: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a chat wants answers shown, where its platform offers it (`Capabilities`).

    `drafts`: while they are written as what the platform has for that, at the end as a message.
    `rich`: with tables, formulas and headings as they are.
    """

    drafts: bool = False
    rich: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Thoughts:
    """What a model thought before it answered; `title` says how long, `text` is its own words."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the bot says."""

    text: str
    """Markdown (CommonMark with tables); the platform renders it."""
    buttons: tuple[ButtonRow, ...] = ()
    files: tuple[OutgoingFile, ...] = ()
    answering: MessageRef | None = None
    """The message to reply to, where that is customary (groups); no platform needs it."""
    pointing: bool = False
    """It must be seen which message `answering` is, also where that is not customary."""
    feedback: Feedback | None = None
    """Asked for where the platform can (`Capabilities.feedback`), and ignored elsewhere."""
    failed: bool = False
    """The text ends with why there is no (whole) answer: `bot chat` on a pipe exits with 1 then."""
    bulk: bool = False
    """One of many alike (a broadcast): it goes after all else; `RateLimited` says when."""
    spare: bool = False
    """It may be left out: it is posted only where nothing else needs the call; `RateLimited` says
    that it was not."""
    placeholder: bool = False
    """The answer to `answering` is written over it; it stands where that belongs."""
    thoughts: Thoughts | None = None
    """Shown folded up beside the text, as far as there is room (`Capabilities.folds`)."""


class Need(StrEnum):
    """What a chat must be able to do before a command makes sense there."""

    BUTTONS = "buttons"
    FILES = "files"  # the bot can send some


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandInfo:
    """What is said about a command: by `/help`, and by a platform's menu.

    `summary`, `usage`, `family` (the heading it stands under) and `details` are English, gettext
    msgids; `examples` are what to type, msgids too where they have words. `admin`: only for the
    operator's admins.
    """

    name: str
    summary: str
    usage: str = ""
    aliases: tuple[str, ...] = ()
    family: str = ""
    details: str = ""
    examples: tuple[str, ...] = ()
    admin: bool = False
    needs: frozenset[Need] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `bot check`: what was looked at, whether it works, and what to do if not."""

    ok: bool
    subject: str
    text: str
    fix: str = ""
