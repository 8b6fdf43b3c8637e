"""Deleting what is old, a few rows at once: the port `Upkeep`, and `bot db purge`.

A turn that is over is kept because its event may be delivered again (by Telegram for a day, by
Slack for no longer): its row is what tells that it was answered. A button is kept as long, and so
is each single entry of what was used, whose sums stay. What people said stays, unless the operator
wants that gone after some time, too; then it is gone from summaries and titles as well.

What is to go is looked for without a lock, and deleted by its key: two processes may be at it at
once, and where it was broken off it is gone on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.core.limits.calendar import Calendar, Period, key_of
from bot.core.limits.ledger import DAYS_SHOWN
from bot.core.ports import Clock
from bot.core.queue import TurnState
from bot.core.upkeep import Purged, Upkeep
from bot.store import message_rows
from bot.store.columns import utc_now
from bot.store.database import Database, upsert
from bot.store.drivers.connection import Connection
from bot.store.privacy import FORGOTTEN
from bot.store.schema import actions, files, messages, overheard, purges, turns, usage, usage_totals
from bot.store.settings import Keeping
from bot.store.totals import EVERYBODY

AT_ONCE = 200
"""Rows deleted in one transaction. On SQLite everybody who writes waits for its end: 0.05 s."""
MESSAGES_AT_ONCE = 50
"""In each there may be a document."""
FILES_AT_ONCE = 10
EVERY = timedelta(hours=23, minutes=30)
"""From one purge to the next: whoever looks once an hour begins at the same hour every day."""
LOST = timedelta(minutes=55)
"""One that has not come to its end after so long is gone on with by whoever looks next."""

_OVER = (TurnState.DONE.value, TurnState.DEAD.value)


class Purging(Upkeep):
    """Deletes rows of several tables."""

    def __init__(self, database: Database, keeping: Keeping, calendar: Calendar) -> None:
        self._database = database
        self._keeping = keeping
        self._calendar = calendar

    async def due(self) -> bool:
        if self._keeping.shortest is None:
            return False
        began = purges.c.began_at
        never_ended = sa.or_(purges.c.ended_at.is_(None), purges.c.ended_at < began)
        is_time = sa.or_(began < _ago(EVERY), sa.and_(never_ended, began < _ago(LOST)))
        now = {"id": 1, "began_at": utc_now()}
        begin = upsert(self._database.dialect, purges, now, "began_at", where=is_time)
        return await self._database.change(begin) > 0

    async def purge(self, clock: Clock, *, rest: float) -> Purged:
        deleting = _Deleting(self._database, clock, rest)
        purged = await deleting.old(self._keeping, self._calendar)
        now = {"id": 1, "began_at": utc_now(), "ended_at": utc_now()}
        await self._database.change(upsert(self._database.dialect, purges, now, "ended_at"))
        await self._database.empty_log()
        return purged


class _Deleting:
    """Looks for rows, deletes some, and rests."""

    def __init__(self, database: Database, clock: Clock, rest: float) -> None:
        self._database = database
        self._clock = clock
        self._rest = rest

    async def old(self, keeping: Keeping, calendar: Calendar) -> Purged:
        """Delete what is old, from all tables."""
        age = keeping.shortest
        if age is None:
            return Purged()
        # Looked at once: PostgreSQL looks nothing up in an index by a clock that goes on.
        [[now]] = await self._database.rows(sa.select(utc_now()))
        old = now - age
        said = 0 if keeping.messages is None else await self._said(now - keeping.messages)
        await self._days(calendar.today() - max(age, timedelta(days=DAYS_SHOWN)))
        return Purged(
            messages=said,
            # Before the turns in which they were pressed: those tell of a second press.
            actions=await self._rows(actions.c.id, actions.c.created_at, old),
            turns=await self._rows(turns.c.id, turns.c.finished_at, old, turns.c.state.in_(_OVER)),
            entries=await self._rows(
                usage.c.id,
                usage.c.created_at,
                # Those of this month bear the name of who may ask to be forgotten.
                min(old, calendar.month_began()),
                usage.c.chat != FORGOTTEN,
            ),
            files=await self._unused(old),
        )

    async def _rows(
        self,
        key: sa.Column[Any],
        time: sa.Column[datetime],
        old: datetime,
        *which: sa.ColumnElement[bool],
    ) -> int:
        """Delete rows from before a moment, in the order of an index: past no dead ones."""
        which = (time < old, *which)
        oldest, deleted = sa.select(key).where(*which).order_by(time).limit(AT_ONCE), 0
        while keys := [row[0] for row in await self._database.rows(oldest)]:
            gone = await self._delete(key, keys, which)
            if not gone:  # another process is at it
                break
            deleted += gone
        return deleted

    async def _unused(self, old: datetime) -> int:
        """Pictures that no message holds. To see how old one is, all of it must be read."""
        unused = ~message_rows.HELD
        found = await self._database.rows(sa.select(files.c.sha256).where(unused))
        keys = [row.sha256 for row in found]
        which = (unused, files.c.created_at < old)
        parts = (keys[at : at + FILES_AT_ONCE] for at in range(0, len(keys), FILES_AT_ONCE))
        return sum([await self._delete(files.c.sha256, some, which) for some in parts])

    async def _said(self, old: datetime) -> int:
        """Messages, from the first on, as far as they are old; and what others said in groups."""
        await self._rows(overheard.c.id, overheard.c.created_at, old)
        deleted = last = 0
        while True:
            page = (
                sa.select(messages.c.id, messages.c.conversation_id)
                .add_columns((messages.c.created_at < old).label("is_old"))
                .where(messages.c.id > last)
                .order_by(messages.c.id)
                .limit(MESSAGES_AT_ONCE)
            )
            found = await self._database.rows(page)
            gone = [row for row in found if row.is_old]
            if not gone:
                return deleted
            last = found[-1].id
            talks = sorted({row.conversation_id for row in gone})
            deleted += await self._delete(messages.c.id, [row.id for row in gone], (), talks)

    async def _days(self, first: date) -> None:
        """What each person used on single days before the first that somebody is shown."""
        period = usage_totals.c.period
        theirs = usage_totals.c.platform != EVERYBODY.platform
        is_day = sa.func.length(period) == len(key_of(Period.DAY, first))
        is_past = sa.and_(period > "", period < key_of(Period.DAY, first), is_day)
        query = sa.select(period).where(theirs, is_past).distinct()
        for day in [row.period for row in await self._database.rows(query)]:
            await self._delete(period, [day], (theirs,))

    async def _delete(
        self,
        key: sa.Column[Any],
        keys: Sequence[object],
        which: Sequence[sa.ColumnElement[bool]],
        conversations: Sequence[int] = (),
    ) -> int:
        """Delete rows by their key; of messages, with what tells of them in their conversations."""
        # What they are is said again: the bot may have changed one since it was found.
        statement = sa.delete(key.table).where(key.in_(keys), *which)

        async def job(connection: Connection) -> int:
            deleted = (await connection.execute(statement)).rowcount
            if conversations:
                await message_rows.leave_no_trace(connection, conversations)
            return deleted

        began = self._clock.monotonic()
        deleted = await self._database.write(job, patient=True)
        await self._clock.sleep(self._rest * (self._clock.monotonic() - began))
        return deleted


def _ago(age: timedelta) -> utc_now:
    return utc_now(-age.total_seconds())
