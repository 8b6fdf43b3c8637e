"""What the sandbox remembers: people, chats, messages, files, and what is being written.

Plain data. The methods of the Bot API change it (`messages.py`, `drafts.py`, …), the people's side
reads it (`view.py`, `screen.py`), `wire.py` turns it into the JSON of the Bot API.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, TypeAlias

from bot.sandbox.telegram.entities import Entity

Json: TypeAlias = dict[str, Any]


class ChatKind(StrEnum):
    """The kinds of chats the sandbox knows, in the words of the Bot API."""

    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"


class Membership(Enum):
    """Whether the bot may write: set by people, judged at every call."""

    MEMBER = "member"
    STRANGER = "stranger"  # the person never wrote to the bot
    BLOCKED = "blocked"  # the person blocked it
    KICKED = "kicked"  # it was removed from the group


@dataclass(slots=True, kw_only=True)
class User:
    """Somebody with an account; `language` is an IETF tag as the client reports it."""

    id: int
    name: str
    username: str = ""
    language: str = ""
    is_bot: bool = False


@dataclass(slots=True, kw_only=True)
class StoredFile:
    """A file on Telegram's servers. `size` in bytes may claim more than `content` holds."""

    id: str
    unique_id: str
    path: str
    name: str
    mime: str
    content: bytes = field(repr=False)
    size: int


@dataclass(slots=True, kw_only=True)
class Media:
    """What a message carries besides text; `kind` is the Bot API's field (`photo`, `voice` …)."""

    kind: str
    file: StoredFile
    width: int = 0
    height: int = 0
    seconds: int = 0
    emoji: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineButton:
    """A button under a message, whose `data` is sent to the bot."""

    label: str
    data: str


Keyboard: TypeAlias = tuple[tuple[InlineButton, ...], ...]


@dataclass(frozen=True, slots=True)
class Rich:
    """A rich message: its source as the bot sent it, the blocks, and the words people read."""

    source: str
    blocks: tuple[Json, ...]
    text: str


@dataclass(slots=True, kw_only=True)
class Message:
    """One message of a chat. `text` is the caption where there is `media`; times are Unix times.

    A service message says that its group `became` another chat, or which it `was` before.
    """

    id: int
    chat: int
    author: User
    date: int
    text: str = ""
    entities: tuple[Entity, ...] = ()
    media: Media | None = None
    rich: Rich | None = None
    keyboard: Keyboard = ()
    topic: int | None = None
    reply_to: int | None = None
    album: str = ""
    edited: int | None = None
    link_preview: bool = False
    topic_created: str = ""
    became: int | None = None
    was: int | None = None


@dataclass(slots=True, kw_only=True)
class Draft:
    """A text that is still being written: shown until `until`, gone with the next message."""

    id: int
    text: str
    entities: tuple[Entity, ...]
    rich: Rich | None
    until: float
    can_stop: bool = False
    keep_on_stop: bool = False
    stopped: bool = False


@dataclass(slots=True)
class Typing:
    """The indicator under the chat's title: `action` until the clock says `until`."""

    action: str
    until: float


@dataclass(slots=True, kw_only=True)
class Chat:
    """A private chat or a group, with everything in it. Drafts and typing are kept per topic.

    `forbidden` are the kinds of media that its members may not send, `became` is the supergroup
    that has taken its place.
    """

    id: int
    kind: ChatKind
    title: str = ""
    person: User | None = None
    forum: bool = False
    membership: Membership = Membership.MEMBER
    forbidden: set[str] = field(default_factory=set)
    topics: dict[int, str] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    drafts: dict[int | None, Draft] = field(default_factory=dict)
    stopped_drafts: set[int] = field(default_factory=set)
    typing: dict[int | None, Typing] = field(default_factory=dict)
    last_id: int = 0
    became: int | None = None

    def next_id(self) -> int:
        """Message ids are counted per chat, so the same id stands for different messages."""
        self.last_id += 1
        return self.last_id


@dataclass(slots=True, kw_only=True)
class Press:
    """A pressed button that waits for its answer; `toast` is what the person was shown."""

    id: str
    until: float
    answered: bool = False
    toast: str = ""
