"""Telegram's ids and the opaque ones of the core: made and parsed side by side.

A forum topic is a conversation of its own, so its id rides inside the id of the chat:
`-1001234/17`. A private chat or a group is only its number: `1001`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from bot.core.types import ChatId, ChatRef, MessageId, MessageRef

PLATFORM = "telegram"
_CALLBACK = ":callback:"
_ID = re.compile(r"-?[0-9]+(/[0-9]+)?")


class Place(NamedTuple):
    """A chat as Telegram names it; `topic` is its `message_thread_id`, None outside a topic."""

    chat: int
    topic: int | None = None

    @property
    def private(self) -> bool:
        """A chat with one person; the ids of groups are negative (Bot API, `Chat.id`)."""
        return self.chat > 0


def is_id(text: str) -> bool:
    """Whether this may be the id of a person or a chat, as `1001`, `-1001234` or `-1001234/17`."""
    return _ID.fullmatch(text) is not None


def make_chat(chat: int, topic: int | None = None) -> ChatRef:
    """The conversation in a chat, or in one topic of it."""
    return ChatRef(PLATFORM, ChatId(str(chat) if topic is None else f"{chat}/{topic}"))


@lru_cache(maxsize=1024)  # a dozen times for each answer
def parse_chat(ref: ChatRef) -> Place:
    """Undo `make_chat`."""
    chat, _, topic = ref.id.partition("/")
    return Place(int(chat), int(topic) if topic else None)


def make_message(chat: ChatRef, message_id: int) -> MessageRef:
    """One message of a conversation."""
    return MessageRef(chat, MessageId(str(message_id)))


def parse_message(ref: MessageRef) -> int:
    """The `message_id` of a message."""
    return int(ref.id)


def make_update_key(bot: int, update_id: int) -> str:
    """The key of an update; ids of updates are counted per bot."""
    return f"{bot}:update:{update_id}"


def make_press_key(bot: int, query_id: str) -> str:
    """The key of a button press: the bot, and the id that its answer needs."""
    return f"{bot}{_CALLBACK}{query_id}"


def parse_press_key(key: str) -> str | None:
    """The id of the callback query of a button press; None for other events."""
    _, found, query_id = key.partition(_CALLBACK)
    return query_id if found else None
