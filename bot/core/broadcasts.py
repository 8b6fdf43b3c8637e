"""One text for many chats: the port `Broadcasts`, and what an admin is told of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.core.types import ChatRef, MessageRef, Person, UserId


class Delivered(StrEnum):
    """How far a broadcast is with one chat."""

    WAITING = "waiting"
    SENDING = "sending"  # from just before the call until its outcome is known
    SENT = "sent"
    GONE = "gone"  # the chat does not exist any more, or not for the bot
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How many chats are how far; `unknown` ones may have got it when something broke."""

    waiting: int = 0
    unknown: int = 0
    sent: int = 0
    gone: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All chats of the broadcast."""
        return self.waiting + self.unknown + self.sent + self.gone + self.failed


class Broadcasts(Protocol):
    """Broadcasts and how far each is; every chat gets it at most once.

    Every method raises `StoreError`.
    """

    async def chats(self) -> Mapping[ChatRef, Collection[UserId]]:
        """Every chat that has a conversation with the bot, and who speaks in it.

        Nobody is known where what was said is deleted.
        """

    async def draft(self, text: str, by: Person) -> int:
        """Keep a text that is not sent yet; returns its number."""

    async def start(self, number: int, chats: Sequence[ChatRef]) -> str | None:
        """Begin, with these chats, unless it has begun already; returns the text.

        None when it was stopped or there is no such broadcast.
        """

    async def next(self, number: int) -> ChatRef | None:
        """A chat that has not been tried; from now on it counts as tried. None when over."""

    async def mark(
        self, number: int, chat: ChatRef, state: Delivered, message: MessageRef | None = None
    ) -> None:
        """Write down what came of one chat, and the `message` that stands there now.

        One that is `WAITING` again is tried once more.
        """

    async def posted(self, chat: ChatRef) -> Sequence[MessageRef]:
        """The messages that the latest broadcasts have left in a chat."""

    async def stop(self, number: int) -> None:
        """Try no more chats."""

    async def progress(self, number: int) -> Progress:
        """How far it is."""
