"""The database as the core sees it, a port per noun; rows never leave it.

Ports stand beside what they are about: that of the queue in `bot.core.queue`, of settings in
`bot.core.settings` and so on; the small ones here, and all of them in `Stores`. Every method of
every port raises `StoreError`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.access import Grants
from bot.core.archive import Archive
from bot.core.broadcasts import Broadcasts
from bot.core.chat import ImagePart, KeptMessage
from bot.core.facts import Facts
from bot.core.limits.ledger import Ledger
from bot.core.overheard import Overheard
from bot.core.queue import TurnQueue
from bot.core.settings import SettingsStore
from bot.core.statistics import Statistics
from bot.core.summaries import Summaries, Summary
from bot.core.types import ChatId, ChatRef, Person, Sender, UserId
from bot.core.upkeep import Upkeep


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A chat's conversation (None: not begun): its newest messages, oldest first.

    `summary` is the one that reaches furthest.
    """

    conversation: int | None = None
    newest: Sequence[KeptMessage] = ()
    summary: Summary | None = None


class Conversations(Protocol):
    """The history of every chat. Every method raises `StoreError`."""

    async def current(self, chat: ChatRef) -> int:
        """The id of the chat's conversation; begins one when there is none."""

    async def history(
        self, chat: ChatRef, *, before: int | None = None, limit: int = 50
    ) -> History:
        """The chat's conversation and its newest messages, as `page` gives them, in one query.

        Begins no conversation where there is none.
        """

    async def begin(self, chat: ChatRef) -> int:
        """Begin a new conversation; the old one is kept."""

    async def page(
        self, conversation: int, *, before: int | None = None, limit: int = 50
    ) -> Sequence[KeptMessage]:
        """The newest messages older than the message id `before`, oldest first.

        Those that were taken out of the conversation (`Outcome.hidden`) are not among them.
        """

    async def beginning(self, conversation: int, *, limit: int) -> Sequence[KeptMessage]:
        """The oldest messages that are in the conversation still, in order."""

    async def drawn(self, chat: ChatRef, digest: str = "") -> ImagePart | None:
        """A picture that the bot drew in this chat, by the SHA-256 of its bytes; else the newest.

        None when it is not there, or not any more.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquaintance:
    """Somebody who has spoken to the bot, or tried to; `last_seen` in UTC."""

    person: Person
    name: str
    language: str
    last_seen: datetime


class Users(Protocol):
    """Who has spoken to the bot. Every method raises `StoreError`."""

    async def seen(self, platform: str, sender: Sender) -> None:
        """Remember name and language of somebody who wrote."""

    async def recent(self, *, offset: int = 0, limit: int = 10) -> Sequence[Acquaintance]:
        """Those who spoke last, latest first."""

    async def count(self) -> int:
        """How many there are."""

    async def find(self, person: Person) -> Acquaintance | None:
        """Somebody by their id."""

    async def called(self, platform: str, name: str) -> Sequence[Acquaintance]:
        """Everybody with this name, in any case."""


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

    async def find(self, chat: ChatRef, value: str) -> Action | None:
        """What the button of this chat with this value does; None when it is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What somebody thinks of the answer that came of a turn."""

    chat: ChatRef
    user: UserId
    turn_id: int
    model: str
    good: bool


class Ratings(Protocol):
    """What people thought of answers. Every method raises `StoreError`."""

    async def rate(self, rating: Rating) -> None:
        """Keep a rating; the last word of each person about an answer counts."""


class Privacy(Protocol):
    """Forgetting, for good. What was used stays counted, since limits and bills depend on it.

    Usage keeps no words, and loses the chat; it keeps who asked until its month is over.
    """

    async def chats(self, platform: str) -> Collection[ChatRef]:
        """The chats of a platform in which something was said or chosen."""

    async def forget_chats(self, platform: str, chats: Sequence[ChatId]) -> None:
        """Delete everything that was said and chosen in chats, but what is being answered."""

    async def tidy(self) -> None:
        """Delete the names of forgotten people from what they used in months that are over."""

    async def forget_person(self, person: Person, *, by: int) -> None:
        """Delete everything somebody said in any chat, the answers to it, and who they are.

        `by` is the turn that asks for it. What they wrote before and is not answered yet is
        answered, and then forgotten with its answer.
        """


class Moves(Protocol):
    """What is kept of chats that get another id. Every method raises `StoreError`.

    A group of Telegram becomes a supergroup when it gets a public name, a visible history or many
    members (https://core.telegram.org/api/channel#migration); a private channel of Slack gets
    another id when it is shared with another workspace. For the people in it nothing changes.
    """

    async def move(self, old: ChatRef, new: ChatRef) -> bool:
        """Let everything that was said, chosen and used in `old` belong to `new`.

        If `new` has settings and a current conversation already, it keeps these. Turns that wait go
        on there. The ids of messages in `old` are forgotten, since they mean others in `new`. False
        when there was nothing to move.
        """

    async def threads(self, chat: ChatRef) -> Collection[ChatRef]:
        """The chats of which something is kept whose ids begin with that of the chat, but it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The database, port by port."""

    turns: TurnQueue
    conversations: Conversations
    archive: Archive
    summaries: Summaries
    overheard: Overheard
    privacy: Privacy
    settings: SettingsStore
    users: Users
    actions: Actions
    ratings: Ratings
    ledger: Ledger
    grants: Grants
    moves: Moves
    broadcasts: Broadcasts
    statistics: Statistics
    facts: Facts
    upkeep: Upkeep
