"""Writes the ends of turns to the database, trying for as long as that takes."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from bot.core.engine.failures import reason_of
from bot.core.models import UsageEntry
from bot.core.ports import Clock, Platform
from bot.core.queue import Outcome, Turn
from bot.core.stores import Stores
from bot.core.types import MessageRef
from bot.errors import StoreError, StoreRefused

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between tries; they grow."""
REFUSALS = 2
"""Tries of a write that the database refuses: another process may just have come between."""
LAST_TRIES = 2
"""Tries while the bot is being shut down; the turn is recovered at the next start then."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Writes down what became of a turn. Methods raise `StoreRefused` for what can never be kept.

    While the bot is `leaving`, what the database does not take soon is left for the next start.
    """

    platforms: Mapping[str, Platform]
    stores: Stores
    clock: Clock
    leaving: Callable[[], bool]

    async def note_sender(self, turn: Turn) -> None:
        """Remember who spoke; an answer does not wait for it. Raises nothing."""
        sender = turn.event.sender
        try:
            await self.stores.users.seen(turn.chat.platform, sender)
        except StoreError as error:
            log.warning("person not noted", extra={"turn": turn.id, "error": repr(error)})

    async def finish(self, turn: Turn, outcome: Outcome) -> bool:
        """Write down what came of a turn; False when that cannot be kept: then it is dead."""
        stood = self._stood(turn)
        try:
            await self._persist(lambda: self.stores.turns.finish(turn.id, outcome, stood=stood))
        except Exception as error:
            # Else the turn would run for ever, and everything after it in the chat wait.
            log.exception("turn not kept", extra={"turn": turn.id})
            await self.fail(turn, reason_of(error), dead=True)
            return False
        return True

    async def fail(
        self, turn: Turn, reason: str, *, dead: bool, usage: Sequence[UsageEntry] = ()
    ) -> bool:
        """Let a turn wait for another attempt, or be dead; returns whether it is."""
        if dead:
            await self.note_sender(turn)
        stood = self._stood(turn)
        await self._persist(
            lambda: self.stores.turns.fail(turn.id, reason, dead=dead, stood=stood, usage=usage)
        )
        return dead

    async def release(self, turn: Turn, usage: Sequence[UsageEntry] = ()) -> None:
        """Give a turn back that was not worked on to its end."""
        await self._persist(lambda: self.stores.turns.release(turn.id, usage=usage))

    async def dissolve(self, turn: Turn, usage: Sequence[UsageEntry] = ()) -> bool:
        """End a turn that is withdrawn, or let what is left of it wait; True when it is over."""
        return bool(await self._persist(lambda: self.stores.turns.dissolve(turn.id, usage=usage)))

    def _stood(self, turn: Turn) -> MessageRef | None:
        """The newest message of the bot in the chat, for whoever comes after."""
        return self.platforms[turn.chat.platform].newest(turn.chat)

    async def _persist(self, write: Callable[[], Awaitable[T]]) -> T | None:
        return await insist(write, clock=self.clock, leaving=self.leaving)


async def insist(
    write: Callable[[], Awaitable[T]], *, clock: Clock, leaving: Callable[[], bool]
) -> T | None:
    """Try a write until the database takes it. Raises `StoreRefused` when it never will.

    None when the bot is `leaving` before that: the turn counts as running in the database, and is
    recovered at the next start.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await write()
        except StoreError as error:
            log.error("database refuses", extra={"attempt": attempt, "error": repr(error)})
            if isinstance(error, StoreRefused) and attempt >= REFUSALS:
                raise
            if leaving() and attempt >= LAST_TRIES:
                return None
            await clock.sleep(min(PAUSE * attempt, LONGEST_PAUSE))
