"""The one gate that every kind of event passes: who may speak to the bot, and where."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase

from bot.core.ports import Clock
from bot.core.types import ButtonPress, ChatRef, Event, IncomingMessage, Sender, StopPressed

REMIND_AFTER = 3600.0
"""A stranger is told once an hour, in seconds: enough to be found, too little to be a nuisance."""
STRANGERS = 10_000
"""How many strangers are remembered at most; then all are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may speak to the bot. Entries are `platform:id`; an empty list lets nobody in."""

    open: bool = False
    admins: frozenset[str] = field(default_factory=frozenset)
    users: frozenset[str] = field(default_factory=frozenset)
    chats: frozenset[str] = field(default_factory=frozenset)
    models: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Models that are reserved, by name or glob pattern, and the people and chats they are for."""


class Verdict(Enum):
    """What to do with an event."""

    ADMIT = "admit"
    TURN_AWAY = "turn away"  # tell them who may let them in
    IGNORE = "ignore"


class Gate:
    """Checks sender and chat of every event. Without an allow-list only admins get in."""

    def __init__(
        self, access: Access, clock: Clock, places: Callable[[ChatRef], Collection[str]]
    ) -> None:
        self._access = access
        self._clock = clock
        self._places = places
        self._told: dict[str, float] = {}

    def may(self, chat: ChatRef, sender: Sender) -> bool:
        """Whether this sender may use the bot in this chat."""
        access = self._access
        if access.open or chat.platform == "console":
            return True
        user = f"{chat.platform}:{sender.id}"
        return (
            user in access.admins
            or user in access.users
            or any(f"{chat.platform}:{place}" in access.chats for place in self._places(chat))
        )

    def is_admin(self, chat: ChatRef, sender: Sender) -> bool:
        """Whether this sender may use what only admins may; the terminal is the operator's own."""
        return chat.platform == "console" or f"{chat.platform}:{sender.id}" in self._access.admins

    def may_use(self, chat: ChatRef, sender: Sender, model: str) -> bool:
        """Whether this sender may use a model in this chat; admins may use all of them."""
        wanted = [
            who for pattern, who in self._access.models.items() if fnmatchcase(model, pattern)
        ]
        if not wanted or self.is_admin(chat, sender):
            return True
        names = {f"{chat.platform}:{name}" for name in (sender.id, *self._places(chat))}
        return any(names & who for who in wanted)

    def check(self, event: Event) -> Verdict:
        """Judge an event. What is not said to the bot is ignored before anything else."""
        match event:
            case IncomingMessage(addressed=False):
                return Verdict.IGNORE
            case IncomingMessage() | ButtonPress():
                chat = event.ref.chat
            case StopPressed():
                chat = event.chat
        if self.may(chat, event.sender):
            return Verdict.ADMIT
        if isinstance(event, IncomingMessage) and self._first_time(chat, event.sender):
            return Verdict.TURN_AWAY
        return Verdict.IGNORE

    def _first_time(self, chat: ChatRef, sender: Sender) -> bool:
        who, now = f"{chat.platform}:{sender.id}", self._clock.monotonic()
        if now - self._told.get(who, -REMIND_AFTER) < REMIND_AFTER:
            return False
        if len(self._told) >= STRANGERS:
            self._told.clear()
        self._told[who] = now
        return True
