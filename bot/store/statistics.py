"""How the bot is doing: the port `Statistics`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from bot.core.models import UsageKind
from bot.core.queue import TurnState
from bot.core.statistics import Activity, Extent, Statistics, Timing
from bot.store.database import Table
from bot.store.drivers.connection import Connection
from bot.store.schema import ENDED, RUNNING, WAITING, conversations, purges, turns, usage, users


class StatisticsTable(Table, Statistics):
    """Each count uses an index; what has ended is only looked at since a moment."""

    async def activity(self, since: datetime) -> Activity:
        ended = (
            sa.select(turns.c.state, sa.func.count().label("turns"))
            .where(sa.text(ENDED), turns.c.finished_at >= since)
            .group_by(turns.c.state)
        )

        async def job(connection: Connection) -> Activity:
            rows = (await connection.execute(ended)).all()
            states: dict[str, int] = {row.state: row.turns for row in rows}
            return Activity(
                people=await _count(connection, users),
                people_since=await _count(connection, users, users.c.last_seen >= since),
                chats=await _count(connection, conversations, sa.text("current")),
                waiting=await _count(connection, turns, sa.text(WAITING)),
                running=await _count(connection, turns, sa.text(RUNNING)),
                done=states.get(TurnState.DONE, 0),
                dead=states.get(TurnState.DEAD, 0),
            )

        return await self._database.read(job)

    async def timings(self, since: datetime, *, limit: int = 1000) -> Sequence[Timing]:
        query = (
            sa.select(usage.c.latency, usage.c.first_token)
            .where(usage.c.created_at >= since)
            .where(usage.c.kind == UsageKind.CHAT.value, usage.c.latency.is_not(None))
            .order_by(usage.c.created_at.desc())
            .limit(limit)
        )
        rows = await self._database.rows(query)
        return [Timing(latency=row.latency, first_token=row.first_token) for row in rows]

    async def extent(self) -> Extent:
        return await self._database.read(extent)


_EXTENT = {
    "sqlite": "SELECT page_count * page_size, freelist_count * page_size "
    "FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()",
    # What is free in it, the server knows of each table alone.
    "postgresql": "SELECT pg_database_size(current_database()), 0",
}


async def extent(connection: Connection) -> Extent:
    """How large a database is."""
    size, free = (await connection.exec_driver_sql(_EXTENT[connection.dialect.name])).one()
    purged = await connection.scalar(sa.select(purges.c.ended_at))
    return Extent(size=size, free=free, purged=purged)


async def _count(
    connection: Connection, table: sa.Table, *which: sa.ColumnElement[bool] | sa.TextClause
) -> int:
    query = sa.select(sa.func.count()).select_from(table).where(*which)
    return await connection.scalar(query) or 0
