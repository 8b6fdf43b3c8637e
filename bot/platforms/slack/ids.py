"""Slack's ids and the opaque ones of the core: made and parsed side by side.

A conversation is one thread of a channel (`T1:C1:1712.01`), the channel itself (`T1:C1:`, only for
slash commands, which Slack takes nowhere else), or a direct message with everything in it
(`T1:D1:`). In a direct message answers stand in a thread under the question, because Slack streams
nowhere else, yet people go on in the thread or beside it as it comes: it is one conversation. So
there the thread rides in the id of the message: `1712.02:1712.01`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.core.types import ChatId, ChatRef, MessageId, MessageRef

PLATFORM = "slack"
_COMMAND = "command-"
_ID = re.compile(r"[UW][A-Z0-9]+|([TE][A-Z0-9]+:)?[CDG][A-Z0-9]+(:[0-9.]*)?")


class Place(NamedTuple):
    """A conversation as Slack names it; `thread` is the ts of its root, empty outside one."""

    team: str
    channel: str
    thread: str

    @property
    def direct(self) -> bool:
        """Whether this is a direct message; their ids begin with D."""
        return self.channel.startswith("D")


def has_form(text: str) -> bool:
    """Whether this may be the id of a person, a channel or a conversation."""
    return _ID.fullmatch(text) is not None


def is_id(text: str) -> bool:
    """Whether it is one rather than a name in capitals: as good as every id has a digit."""
    return has_form(text) and any(letter.isdigit() for letter in text)


def make_chat(team: str, channel: str, thread: str) -> ChatRef:
    """The conversation that a message in `thread` (empty: none) of a channel belongs to."""
    place = Place(team, channel, thread)
    return ChatRef(PLATFORM, ChatId(f"{team}:{channel}:{'' if place.direct else thread}"))


def parse_chat(ref: ChatRef) -> Place:
    """Undo `make_chat`."""
    team, channel, thread = ref.id.split(":")
    return Place(team, channel, thread)


def make_message(chat: ChatRef, ts: str, thread: str) -> MessageRef:
    """A message; `thread` is the ts of the thread's root, empty outside one."""
    rides = thread and parse_chat(chat).direct
    return MessageRef(chat, MessageId(f"{ts}:{thread}" if rides else ts))


def make_command(chat: ChatRef, trigger: str) -> MessageRef:
    """A slash command, which is no message: there is nothing to reply to."""
    return MessageRef(chat, MessageId(_COMMAND + trigger))


def ts_of(ref: MessageRef) -> str:
    """The ts of a message; empty for a slash command."""
    return "" if ref.id.startswith(_COMMAND) else ref.id.partition(":")[0]


def thread_of(ref: MessageRef) -> str:
    """The thread in which a message stands; empty outside one."""
    return parse_chat(ref.chat).thread or ref.id.partition(":")[2]


def answer_thread(ref: MessageRef) -> str:
    """The thread that an answer to this message goes into; empty: into the channel itself."""
    thread = thread_of(ref)
    return thread or (ts_of(ref) if parse_chat(ref.chat).direct else "")


def mentions(text: str, user: str) -> bool:
    """Whether a message mentions somebody."""
    return f"<@{user}>" in text or f"<@{user}|" in text


def make_key(team: str, channel: str, what: str) -> str:
    """The key of an event. A post has its ts: it may arrive as `message` and as `app_mention`."""
    return f"{PLATFORM}:{team}:{channel}:{what}"
