"""The turns that this process works on, and those that another one has left behind.

A bot that has lost its database may still reach the chats, where another may answer in its place by
now. So it shows nothing of a turn unless it is `sure` of it: by its own clock, its last sign of
life was sent so short a time ago that nobody can have taken the turn over. Else it waits, and goes
on where it was when the database takes a sign again and the turn is its own still.

A bot alone does so, too, though not as soon. It cannot know that it stays alone: just while it is
cut off, somebody may start another in its place. So answers pause in a long outage rather than come
to their end, in a bot that takes nothing in meanwhile anyway; but none comes twice. Of a short one
nobody notices anything. What remains: who starts takes over at once what an absent bot ran, as most
often that was killed. Of one that was alone, lives, and lost its connection less than `SURE` ago,
both then answer.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.core.clock import within
from bot.core.ports import Clock
from bot.core.types import ChatRef
from bot.errors import StoreError
from bot.store.database import Database
from bot.store.queue import holds, presence
from bot.store.queue.holds import LEFT, NOBODY, Hold, Kept
from bot.store.schema import turns

log = logging.getLogger(__name__)

EVERY = 1 / 3
"""The part of a lease between two signs of life, and between two looks at others: who runs takes
nothing over before there was no sign for as long."""
SURE = 2 / 3
"""The part of a lease for which a turn is surely ours after a sign of life; a call that is under
way at the end has the rest."""
SURE_UNSEEN = 1 / 4
"""The same while there are others that may not see us (`presence`): they wait for no lease then,
only for `EVERY` part of one."""
AGAIN = 1.0
"""Seconds until the next sign of life when one was not taken, or others may not see us."""


@dataclass(slots=True)
class Held:
    """A turn at work here. It may have left files behind (`noted`), and may lead others.

    `signed` is when the last sign of life was sent, by our clock.
    """

    hold: Hold
    signed: float = -math.inf
    noted: bool = False
    leads: bool = False


class Leases:
    """A turn belongs to its `owner`, a process, for `seconds` after the last sign of life.

    The time is the database's. `lost` is called when another process has taken a turn over, and
    `stopped` when one has stopped what is written in a chat, or turns of it.
    """

    def __init__(self, database: Database, *, owner: str, seconds: float, clock: Clock) -> None:
        self.owner = owner
        self.seconds = seconds
        self.clock = clock
        self.lost: Callable[[int], None] = lambda turn_id: None
        self.stopped: Callable[[ChatRef, Collection[int]], object] = lambda chat, turn_ids: None
        self._database = database
        self._held: dict[int, Held] = {}
        self._silent: dict[int, datetime] = {}
        """Turns that seemed left behind at the last look, and how long their lease was to last."""
        self._seen_since = math.inf
        """Since when others have seen that we are there; infinite when they do not."""
        self._met = 0  # so often others were heard of
        self._is_alone = False  # as far as is known
        self._due = asyncio.Event()

    def take(self, turn_id: int, attempt: int, signed: float, *, noted: bool = False) -> None:
        """An attempt of a turn is ours; we asked for it at that time by our clock."""
        self._held[turn_id] = Held(Hold(self.owner, attempt), signed, noted)

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

    # ------------------------------------------------------------ whose a turn surely is

    def sure(self, turn_id: int) -> bool:
        """Whether nobody else can have taken the turn over; a SQLite file has one process."""
        if self._database.sqlite:
            return True
        held = self.of(turn_id)
        part = SURE if self._is_alone or held.signed >= self._seen_since else SURE_UNSEEN
        return self.clock.monotonic() - held.signed < part * self.seconds

    def seen(self) -> None:
        """From now on others see that we are there."""
        self._seen_since = self.clock.monotonic()

    def unseen(self) -> None:
        """They do not any more."""
        self._seen_since = math.inf
        self._due.set()

    def met(self) -> None:
        """There is another process."""
        self._met += 1
        self._is_alone = False

    async def look_round(self) -> None:
        """See whether there is another process."""
        met = self._met
        others = await self._database.read(presence.others, self.owner)
        self._is_alone = not others and met == self._met

    # ------------------------------------------------------------ signs of life

    async def keep(self) -> None:
        """Give signs of life until cancelled, and free what others have left behind."""
        looked_at, has_failed = -math.inf, False
        while True:
            try:
                await self.renew()
                if self.clock.monotonic() - looked_at >= self.seconds * EVERY:
                    await self.look_round()
                    await self.free_left()
                    looked_at = self.clock.monotonic()
            except StoreError as error:
                if not has_failed:
                    log.warning("leases not renewed", extra={"reason": str(error)})
                has_failed = True
            else:
                has_failed = False
            pause = self.seconds * EVERY
            if self._held and (has_failed or self._seen_since == math.inf):
                pause = min(pause, AGAIN)
            await within(self.clock, pause, self._due.wait())
            self._due.clear()

    async def renew(self) -> None:
        """Give a sign of life of the turns at work here, and hear of what happened to them."""
        held = {turn_id: one.hold for turn_id, one in self._held.items()}
        if not held:
            return
        now = self.clock.monotonic()
        ours = await self._database.write(holds.renew, held, self.seconds)
        for turn_id, hold in held.items():
            self.heard(turn_id, hold, now, ours)

    def heard(self, turn_id: int, hold: Hold, signed: float, ours: Kept) -> bool:
        """What came of a sign of life that was sent at that time; False: the turn is not ours."""
        if turn_id not in ours:
            self.lose(turn_id, hold)
            return False
        held = self.of(turn_id)
        if held.hold == hold:
            held.signed = max(held.signed, signed)
        if (chat := ours[turn_id]) is not None:
            self.stopped(chat, [turn_id])
        return True

    # ------------------------------------------------------------ what others have left

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
        lost = [(id, lease) for id, lease in self._silent.items() if before.get(id) == lease]
        if not lost:
            return 0
        same = sa.tuple_(turns.c.id, turns.c.lease_until).in_(lost)
        return await self._take_back(sa.and_(LEFT, same))

    async def _take_back(self, lost: sa.ColumnElement[bool]) -> int:
        return await self._database.write(holds.take_back, lost, self.all())
