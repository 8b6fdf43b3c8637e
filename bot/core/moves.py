"""Chats that get another id, and the port that carries over what belongs to them.

A group of Telegram becomes a supergroup when it gets a public name, a visible history or many
members (https://core.telegram.org/api/channel#migration); a private channel of Slack gets another
id when it is shared with another workspace. For the people in it nothing changes.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from bot.core.types import ChatRef


class Moves(Protocol):
    """What is kept of chats, under another id. Every method raises `StoreError`."""

    async def move(self, old: ChatRef, new: ChatRef) -> bool:
        """Let everything that was said, chosen and used in `old` belong to `new`.

        What `new` has of its own stays: its settings, and the conversation it is in. False when
        there was nothing. What waits goes on there; where the messages of `old` stand is forgotten,
        since ids of messages begin anew.
        """

    async def threads(self, chat: ChatRef) -> Collection[ChatRef]:
        """The chats of which something is kept whose ids begin with that of the chat, but it."""
