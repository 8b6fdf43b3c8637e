"""The leases of the turns that this process works on, and of those that a lost process left behind.

A process that has lost the database may still reach the chats, where another process may answer in
its place by now. So it shows nothing of a turn unless it is `sure` that the turn is its own: its
last renewal, by its own clock, was so short a time ago that no other process can have taken the
turn over. Otherwise it waits; once a renewal succeeds, it goes on where it was.

This holds for a single bot, too, though it waits less soon: while it is cut off, somebody may start
another one in its place. So in a long outage of the database answers pause, and none comes twice; a
short outage is not noticed.

One case remains. A process that starts takes over the turns of an absent one at once, since that
was most often killed. If that one was alone, is alive and lost its connection less than `SURE` of a
lease ago, both answer.
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
    """A turn that is worked on here.

    `signed` is when its lease was renewed last, by our clock. `noted`: it may have files kept
    (`TurnQueue.note`). `leads`: others may have joined it.
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
        """Renew the leases until cancelled, and free turns that lost processes have left behind."""
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
        """Renew the leases of the turns here; learn which were lost or stopped."""
        held = {turn_id: one.hold for turn_id, one in self._held.items()}
        if not held:
            return
        now = self.clock.monotonic()
        ours = await self._database.write(holds.renew, held, self.seconds)
        for turn_id, hold in held.items():
            self.heard(turn_id, hold, now, ours)

    def heard(self, turn_id: int, hold: Hold, signed: float, ours: Kept) -> bool:
        """Take in the result of a renewal that was `signed` then; False if the turn is lost."""
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
        """Let the turns of lost processes wait again.

        Only those that seemed lost at the last call, too, with the same end of their lease: when
        the database's clock jumps ahead all leases are over, and after a restart of the server no
        process seems to be there; but one that lives renews its leases.
        """
        before, self._silent = self._silent, await self._database.read(holds.left)
        lost = [(id, lease) for id, lease in self._silent.items() if before.get(id) == lease]
        if not lost:
            return 0
        same = sa.tuple_(turns.c.id, turns.c.lease_until).in_(lost)
        return await self._take_back(sa.and_(LEFT, same))

    async def _take_back(self, lost: sa.ColumnElement[bool]) -> int:
        return await self._database.write(holds.take_back, lost, self.all())
