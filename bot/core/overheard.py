"""What others said in a group where the bot may listen: the port `Overheard`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.types import ChatRef, IncomingMessage, MessageRef, UserId


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
