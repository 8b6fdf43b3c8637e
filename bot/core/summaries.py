"""Summaries of conversations: the port `Summaries`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.chat import KeptMessage
from bot.core.models import UsageEntry
from bot.core.types import UserId


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
        taken back meanwhile, or a part of it, or the summary has no words, only what it cost is
        kept.
        """
