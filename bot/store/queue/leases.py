"""The turns that this process works on, and those that another one has left behind."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.core.types import ChatRef
from bot.store.database import Database
from bot.store.queue import holds
from bot.store.queue.holds import LEFT, NOBODY, Hold
from bot.store.schema import turns

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Held:
    """A turn at work here. It may have left files behind (`noted`), and may lead others."""

    hold: Hold
    noted: bool = False
    leads: bool = False


class Leases:
    """A turn belongs to its `owner`, a process, for `seconds` after the last sign of life.

    The time is the database's. `lost` is called when another process has taken a turn over, and
    `stopped` when one has stopped what is written in a chat.
    """

    def __init__(self, database: Database, *, owner: str, seconds: float) -> None:
        self.owner = owner
        self.seconds = seconds
        self.lost: Callable[[int], None] = lambda turn_id: None
        self.stopped: Callable[[ChatRef], object] = lambda chat: None
        self._database = database
        self._held: dict[int, Held] = {}
        self._silent: dict[int, datetime] = {}
        """Turns that seemed left behind at the last look, and how long their lease was to last."""

    def take(self, turn_id: int, attempt: int, *, noted: bool = False) -> None:
        """An attempt of a turn is ours."""
        self._held[turn_id] = Held(Hold(self.owner, attempt), noted)

    def of(self, turn_id: int) -> Held:
        """What is known of a turn; nobody's, when it is not ours."""
        return self._held.get(turn_id) or Held(NOBODY)

    def all(self) -> list[int]:
        """What is worked on here."""
        return list(self._held)

    def let_go(self, turn_id: int) -> None:
        """The turn has come to its end, or waits again."""
        self._held.pop(turn_id, None)

    def lose(self, turn_id: int, hold: Hold) -> None:
        """Another process has taken a turn over, since ours gave no sign of life in time."""
        if hold != NOBODY and self.of(turn_id).hold == hold:  # else it came to its end meanwhile
            log.warning("turn not ours any more", extra={"turn": turn_id})
            self.let_go(turn_id)
            self.lost(turn_id)

    async def renew(self) -> None:
        """Give a sign of life of the turns at work here, and hear of what happened to them."""
        held = {turn_id: one.hold for turn_id, one in self._held.items()}
        if not held:
            return
        ours = await self._database.write(
            lambda connection: holds.renew(connection, held, self.seconds)
        )
        for turn_id in held.keys() - ours.keys():
            self.lose(turn_id, held[turn_id])
        for chat in filter(None, ours.values()):
            self.stopped(chat)

    async def recover(self) -> int:
        """Turns that ran when their process died wait again, their attempt counted.

        A SQLite file has one process at a time, so whatever we do not hold is lost. On PostgreSQL
        it is what ran in a process that is gone, or that has given no sign of life.
        """
        return await self._take_back(sa.true() if self._database.sqlite else LEFT)

    async def free_left(self) -> int:
        """Turns of other processes that are gone, or have given no sign of life, wait again.

        Only what was so when this was last called, and has the same lease still: when the
        database's clock jumps ahead, every lease is over at once, and when the server starts again,
        nobody seems to be there; but who lives renews it.
        """
        before, self._silent = self._silent, await self._database.read(holds.left)
        lost = [id for id, lease in self._silent.items() if before.get(id) == lease]
        if not lost:
            return 0
        return await self._take_back(sa.and_(LEFT, turns.c.id.in_(lost)))

    async def _take_back(self, lost: sa.ColumnElement[bool]) -> int:
        held = self.all()
        return await self._database.write(
            lambda connection: holds.take_back(connection, lost, held)
        )
