"""The one gate that every kind of event passes: who may speak to the bot, and where."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from bot.core.cached_table import CachedTable
from bot.core.ports import Clock
from bot.core.types import ChatRef, Event, IncomingMessage, Person, Sender

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


class Grants(Protocol):
    """Whom admins have let in or shut out by hand, as `platform:id` of a person or a chat.

    Every method raises `StoreError`.
    """

    async def all(self) -> Mapping[str, bool]:
        """Everybody, and whether they are let in."""

    async def put(self, subject: str, *, allowed: bool, by: str) -> None:
        """Let somebody in, or shut them out."""


class Gate:
    """Checks sender and chat of every event. Without an allow-list only admins get in.

    What an admin decides in a chat comes on top of the configuration, whose admins nobody can
    shut out. It is known from memory; `refresh` looks it up, in case another process changed it.
    """

    def __init__(
        self,
        access: Access,
        clock: Clock,
        places: Callable[[ChatRef], Collection[str]],
        grants: Grants,
    ) -> None:
        self._access = access
        self._clock = clock
        self._places = places
        self._grants = grants
        self._decided = CachedTable("grants", grants.all, clock)
        self._told: dict[str, float] = {}

    def names(self, chat: ChatRef) -> Sequence[str]:
        """What a chat is let in or shut out by: its own name, and that of what it lies in."""
        return [f"{chat.platform}:{place}" for place in self._places(chat)]

    async def refresh(self) -> None:
        """Know what admins have decided. Raises `StoreError` while it is not known at all."""
        await self._decided.refresh()

    async def decide(self, subject: str, *, allowed: bool, by: str) -> None:
        """Let a person or a chat in, or shut them out. Raises `StoreError`."""
        await self._grants.put(subject, allowed=allowed, by=by)
        self._decided.change(subject, allowed)
        self._told.pop(subject, None)

    async def follow(self, old: ChatRef, new: ChatRef) -> bool:
        """Let a chat that has another id in, or shut it out, as before; False: nothing to do.

        Raises `StoreError`.
        """
        return any(
            [
                await self._follow(was, now)
                for was, now in zip(self.names(old), self.names(new), strict=True)
            ]
        )

    async def _follow(self, was: str, now: str) -> bool:
        named = True if was in self._access.chats else None
        allowed = self._decided.known.get(was, named)
        if allowed is None or now in self._decided.known:
            return False
        await self.decide(now, allowed=allowed, by=was)
        return True

    def may(self, chat: ChatRef, sender: Sender) -> bool:
        """Whether this sender may use the bot in this chat; who is shut out may nowhere."""
        if self.is_admin(chat, sender):
            return True
        user, places = _name(chat, sender), self.names(chat)
        decided = [self._decided.known.get(subject) for subject in (user, *places)]
        if False in decided:
            return False
        access = self._access
        return (
            access.open
            or True in decided
            or user in access.users
            or not access.chats.isdisjoint(places)
        )

    def is_shut_out(self, chat: ChatRef) -> bool:
        """Whether an admin has shut out a whole chat."""
        return False in [self._decided.known.get(name) for name in self.names(chat)]

    def is_admin(self, chat: ChatRef, sender: Sender) -> bool:
        """Whether this sender may use what only admins may; the terminal is the operator's own."""
        return self.administers(_name(chat, sender))

    def administers(self, subject: str) -> bool:
        """Whether this person is an admin: by the configuration, or as who sits at the terminal."""
        return subject in self._access.admins or subject.startswith("console:")

    def is_let_in(self, subject: str) -> bool | None:
        """Whether somebody is let in by name; None when neither let in nor shut out."""
        decided = self._decided.known.get(subject)
        named = subject in self._access.users or self.administers(subject)
        return decided if decided is not None else named or None

    @property
    def open(self) -> bool:
        """Whether everybody may speak to the bot who is not shut out."""
        return self._access.open

    def may_use(self, chat: ChatRef, sender: Sender, model: str) -> bool:
        """Whether this sender may use a model in this chat; admins may use all of them.

        In whatever case it is typed: servers may take its name in any.
        """
        name, reserved = model.lower(), self._access.models.items()
        wanted = [who for pattern, who in reserved if fnmatchcase(name, pattern.lower())]
        if not wanted or self.is_admin(chat, sender):
            return True
        names = {_name(chat, sender), *self.names(chat)}
        return any(names & who for who in wanted)

    def takes_in(self, event: Event) -> bool:
        """Whether an event is taken in: of strangers only what they are turned away for.

        What is not said to the bot is ignored before anything else.
        """
        if isinstance(event, IncomingMessage) and not event.addressed:
            return False
        return self.may(event.chat, event.sender) or (
            isinstance(event, IncomingMessage) and self._first_time(event.chat, event.sender)
        )

    def _first_time(self, chat: ChatRef, sender: Sender) -> bool:
        who, now = _name(chat, sender), self._clock.monotonic()
        if now - self._told.get(who, -REMIND_AFTER) < REMIND_AFTER:
            return False
        if len(self._told) >= STRANGERS:
            self._told.clear()
        self._told[who] = now
        return True


def _name(chat: ChatRef, sender: Sender) -> str:
    """What a person is let in or shut out by."""
    return str(Person(chat.platform, sender.id))
