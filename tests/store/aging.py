"""Time that passes for a database: everything in it is so much older."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from bot.store import StorageSettings
from bot.store.columns import Utc
from bot.store.database import connected
from bot.store.drivers.connection import Connection
from bot.store.schema import metadata, turns


async def age(settings: StorageSettings, by: timedelta, *tables: sa.Table) -> None:
    """Let everything in a database, or in some tables, be older. Its bot may be at work."""
    seconds = by.total_seconds()

    def older(column: str) -> str:
        if settings.sqlite_file is None:
            return f"{column} = {column} - make_interval(secs => {seconds})"
        return f"{column} = strftime('%Y-%m-%d %H:%M:%f', {column}, '-{seconds} seconds')"

    async def job(connection: Connection) -> None:
        for table in tables or metadata.sorted_tables:
            times = [column.name for column in table.c if isinstance(column.type, Utc)]
            if times:
                changes = ", ".join(older(name) for name in times)
                await connection.exec_driver_sql(f"UPDATE {table.name} SET {changes}")

    async with connected(settings) as database:
        await database.write(job)


async def count(settings: StorageSettings, table: sa.Table) -> int:
    """How many rows a table has."""
    async with connected(settings) as database:
        return await database.scalar(sa.select(sa.func.count()).select_from(table)) or 0


async def grow(settings: StorageSettings, number: int) -> None:
    """Add so many turns that ended 31 days ago."""
    row = {
        "platform": "test",
        "chat": "home",
        "user_id": "7",
        "kind": "message",
        "event": "{}",
        "urgent": False,
        "state": "done",
        "attempt": 1,
        "partial": "",
        "shown": "[]",
        "accepted_at": datetime.now(UTC) - timedelta(days=31),
        "finished_at": datetime.now(UTC) - timedelta(days=31),
    }
    rows = [row | {"key": f"old {n}"} for n in range(number)]
    async with connected(settings) as database:
        await database.write(lambda connection: connection.execute(sa.insert(turns), rows))
