"""What is kept of conversations besides the history itself: titles, summaries, what was overheard.

Ports of the database, beside those in `bot.core.stores`. Every method raises `StoreError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.chat import KeptMessage
from bot.core.models import UsageEntry
from bot.core.types import ChatRef, IncomingMessage, MessageRef, UserId

TITLED = 4
"""A title is made of so many messages, the first that are in a conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelved:
    """A conversation in the list of its chat. `number` counts the chat's own, from 1.

    `title` is empty until there is one; `active` is when something was said in it last, in UTC.
    """

    id: int
    number: int
    title: str
    active: datetime
    current: bool


class Archive(Protocol):
    """The conversations of a chat, past and present. Those without a word are not listed."""

    async def listed(self, chat: ChatRef, *, offset: int = 0, limit: int = 10) -> Sequence[Shelved]:
        """The chat's conversations, the latest first."""

    async def count(self, chat: ChatRef) -> int:
        """How many the list has."""

    async def find(self, chat: ChatRef, number: int) -> Shelved | None:
        """The chat's conversation of this number."""

    async def resume(self, chat: ChatRef, conversation: int) -> bool:
        """Go on with a conversation; False when the chat has none of this id."""

    async def rename(self, chat: ChatRef, conversation: int, title: str) -> bool:
        """Name a conversation; False when the chat has none of this id."""

    async def delete(self, chat: ChatRef, conversation: int) -> bool:
        """Delete a conversation with all that was said; False when the chat has none of this id."""

    async def untitled(self, conversation: int) -> bool:
        """Whether the conversation still has no title."""

    async def entitle(
        self,
        conversation: int,
        title: str,
        *,
        of: Sequence[KeptMessage],
        asker: UserId,
        usage: Sequence[UsageEntry] = (),
    ) -> None:
        """Give a conversation a title unless it has one; keep what finding it cost `asker`.

        It was made `of` these messages. If any of them was deleted or taken back meanwhile, or a
        part of it, the title is not kept.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was said in a conversation up to the message `through`, in short."""

    text: str
    through: int


class Summaries(Protocol):
    """Summaries of what no longer fits a model's window; the messages themselves stay."""

    async def latest(self, conversation: int) -> Summary | None:
        """The summary that reaches furthest."""

    async def size(self, conversation: int) -> int:
        """About how many characters were said since the latest summary."""

    async def keep(
        self,
        conversation: int,
        summary: Summary,
        *,
        of: Sequence[KeptMessage],
        after: Summary | None = None,
        asker: UserId,
        usage: Sequence[UsageEntry],
    ) -> None:
        """Keep a summary, and what it cost.

        It was made `of` these messages `after` an earlier summary. If any of these was deleted or
        taken back meanwhile, or a part of it, only what it cost is kept.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something that was said in a group, but not to the bot.

    `ref` is the message; None where an early version has kept it.
    """

    id: int
    sender_id: UserId
    sender_name: str
    text: str
    ref: MessageRef | None = None


class Overheard(Protocol):
    """What others said in a group that lets the bot listen, since its last answer there."""

    async def note(self, message: IncomingMessage, *, keep: int) -> None:
        """Keep what was said, once; of the chat's remarks only the newest `keep` stay.

        A message that was deleted before it came is not kept.
        """

    async def reword(self, message: IncomingMessage) -> None:
        """Somebody changed what they said: keep that in its place, or nothing if there is no text.

        What is not kept, or not any more, is let be.
        """

    async def remarks(self, chat: ChatRef) -> Sequence[Remark]:
        """What was said since the last answer, oldest first."""

    async def drop(self, chat: ChatRef) -> None:
        """Forget what was said."""
