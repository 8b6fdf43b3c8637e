"""The conversations of a chat, past and present, with titles: the port `Archive`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.chat import KeptMessage
from bot.core.models import UsageEntry
from bot.core.types import ChatRef, UserId

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
