"""Takes over what is in a SQLite file into an empty PostgreSQL: a bot that has grown moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from bot.core.phrases import Phrase
from bot.errors import StoreError
from bot.store import migrate
from bot.store.admin import migrated
from bot.store.database import Database, migrating
from bot.store.drivers.connection import Connection
from bot.store.drivers.errors import located
from bot.store.owner_lock import sole_owner
from bot.store.schema import metadata
from bot.store.settings import StorageSettings

AT_ONCE = 500
LARGE_AT_ONCE = 10
"""Rows with pictures and documents that are in memory at a time."""


async def take_over(settings: StorageSettings, file: Path) -> int:
    """Copy each row of a SQLite file into the PostgreSQL of the settings; returns how many.

    All or nothing; the file stays as it is. Raises `StoreError`: also when a bot runs with the
    file, when it is of another version, and when the database is not empty.
    """
    if settings.sqlite_file is not None:
        wrong = Phrase(
            "set storage.url to the PostgreSQL database that {file} goes into", file=file
        )
        raise StoreError(wrong)
    async with migrated(StorageSettings(url=f"sqlite:///{quote(str(file))}")) as source:
        with sole_owner(file):
            numbers = {row.name: row.seq for row in await source.rows(_NUMBERS)}

            async def job(connection: Connection) -> int:
                await migrate.begin(connection)
                tables = metadata.sorted_tables
                return sum([await _copy(source, connection, table, numbers) for table in tables])

            with located(settings.place):
                async with migrating(settings) as target:
                    try:
                        return await target.write(job)
                    except asyncio.CancelledError:  # Ctrl+C: else it would be copied to the end
                        target.abandon()
                        raise


_NUMBERS = sa.select(sa.column("name", sa.Text), sa.column("seq", sa.Integer)).select_from(
    sa.table("sqlite_sequence")
)
"""The last number that was given in each table; a number that is free again is not given anew."""


async def _copy(
    source: Database, connection: Connection, table: sa.Table, numbers: Mapping[str, int]
) -> int:
    copied = 0
    async for rows in _batches(source, table):
        await connection.execute(sa.insert(table), rows)
        copied += len(rows)
    column = table.autoincrement_column
    if column is not None:
        highest = await connection.scalar(sa.select(sa.func.max(column)))
        if number := max(highest or 0, numbers.get(table.name, 0)):
            sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
            await connection.execute(sa.select(sa.func.setval(sequence, number)))
    return copied


async def _batches(source: Database, table: sa.Table) -> AsyncIterator[Sequence[dict[str, Any]]]:
    """All rows of a table, some at a time, by their keys."""
    key = table.primary_key.columns
    is_large = any(isinstance(column.type, sa.LargeBinary) for column in table.columns)
    query = sa.select(table).order_by(*key).limit(LARGE_AT_ONCE if is_large else AT_ONCE)
    rows = await source.rows(query)
    while rows:
        yield [dict(row._mapping) for row in rows]
        last = [rows[-1]._mapping[column] for column in key]
        rows = await source.rows(query.where(sa.tuple_(*key) > sa.tuple_(*last)))
