"""What each chat has chosen, and the port that keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from bot.core.chat import Sampling
from bot.core.types import ChatRef


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """What a chat has chosen. Empty means the operator's default."""

    model: str = ""
    system_prompt: str = ""
    persona: str = ""
    listening: str = ""
    """`on`: what is said in the group, but not to the bot, is kept as context."""
    favourites: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()
    """Models that were chosen lately, the last one first."""
    sampling: Sampling = field(default_factory=Sampling)
    language: str = ""
    reasoning: str = ""
    streaming: str = ""
    rich: str = ""
    voice: str = ""
    """`answer`, `transcribe` or `off`: what is done with recordings."""
    together: str = ""
    """`on` or `off`: whether short messages in a row are answered as one."""


def handed_down(settings: ChatSettings) -> ChatSettings:
    """What of a channel's or group's settings holds in its threads and topics.

    Not that it is listened to what people say: they are told so where they are.
    """
    return replace(settings, listening="")


class SettingsStore(Protocol):
    """Settings per chat. Every method raises `StoreError`.

    While a thread or topic has chosen nothing itself, those of its `lobby` (`Platform.lobby`) are
    `handed_down` to it.
    """

    async def load(self, chat: ChatRef, lobby: ChatRef | None = None) -> ChatSettings:
        """The chat's settings; the defaults when nothing is chosen."""

    async def change(
        self,
        chat: ChatRef,
        change: Callable[[ChatSettings], ChatSettings],
        lobby: ChatRef | None = None,
    ) -> ChatSettings:
        """Change the chat's settings in one step, whoever else does; returns the new ones."""
