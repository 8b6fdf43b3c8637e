"""Moving from SQLite to PostgreSQL."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.queue import Outcome
from bot.errors import StoreBusy, StoreError
from bot.store import StorageSettings, migrate, open_store, transfer
from bot.store.columns import Dollars, Utc
from bot.store.database import Database, connected, migrating
from bot.store.drivers.connection import Connection
from bot.store.schema import metadata
from tests.patience import PATIENCE, until
from tests.store.conftest import names, sqlite_settings
from tests.store.events import accept, begun, message, said
from tests.store.postgres import Server

_databases = itertools.count()


@pytest.fixture
async def target(postgres: Server) -> StorageSettings:
    """A PostgreSQL with nothing in it."""
    name = f"target_{next(_databases)}"
    await postgres.execute(f"CREATE DATABASE {name}")
    return StorageSettings(url=postgres.url(name))


def value(column: sa.Column[Any], number: int) -> object:
    """Something that such a column holds; what points to another row points to that `number`."""
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return number % 2 == 0
    if isinstance(kind, Utc):
        return datetime(2026, 11, 30, 12, 0, number, 250_000, tzinfo=UTC)
    if isinstance(kind, Dollars):
        return Decimal(number) / 1000
    if isinstance(kind, sa.LargeBinary):
        return bytes(range(256)) + bytes([number])
    if isinstance(kind, sa.Integer | sa.Float):
        return number
    return "done" if column.name == "state" else f"{number} 雪 🌍"


async def rows_of(settings: StorageSettings) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    async with connected(settings) as database:
        return {
            table.name: [
                dict(row._mapping)
                for row in await database.rows(sa.select(table).order_by(*table.primary_key))
            ]
            for table in metadata.sorted_tables
        }


async def fill(database: Database, count: int) -> None:
    """Rows in each table, but for the one of which there is one row."""
    for table in metadata.sorted_tables:
        for number in range(1, count + 1 if table.name != "purges" else 2):
            row = {column.name: value(column, number) for column in table.columns}
            await database.change(sa.insert(table).values(row))


async def test_every_row_of_every_table_is_taken_over(
    tmp_path: Path, target: StorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "AT_ONCE", 2)
    monkeypatch.setattr(transfer, "LARGE_AT_ONCE", 1)
    source = sqlite_settings(tmp_path)
    async with open_store(source):
        pass
    async with connected(source) as database:
        await fill(database, 3)
    before = await rows_of(source)
    count = await transfer.take_over(target, tmp_path / "store.db")
    assert count == sum(map(len, before.values())) > 50
    assert await rows_of(target) == before == await rows_of(source)


async def test_a_bot_goes_on_in_postgresql_where_it_ended_in_sqlite(
    tmp_path: Path, target: StorageSettings
) -> None:
    source = sqlite_settings(tmp_path)
    async with open_store(source) as stores:
        turn = await begun(stores.turns, message("1"))
        await stores.turns.finish(turn.id, Outcome(messages=(said("hi"),)))
        await accept(stores.turns, message("2"), message("3"))
    async with connected(source) as database:
        await database.change(sa.delete(metadata.tables["turns"]).where(sa.column("id") == 3))
    await transfer.take_over(target, tmp_path / "store.db")
    async with open_store(target) as stores:
        history = await stores.conversations.history(turn.chat)
        assert [each.message.text for each in history.newest] == ["hi"]
        waiting = await stores.turns.claim()
        assert waiting is not None and waiting.id == 2
        fresh = await stores.turns.accept(message("4"), urgent=False)
        assert fresh.turn_id == 4  # buttons may still speak of the one that was deleted


async def test_nothing_is_taken_over_into_what_is_not_empty_or_from_a_bot_at_work(
    tmp_path: Path, target: StorageSettings
) -> None:
    source, file = sqlite_settings(tmp_path), tmp_path / "store.db"
    with pytest.raises(StoreError, match="there is no database"):
        await transfer.take_over(target, file)
    assert names(tmp_path) == []
    async with open_store(source):
        with pytest.raises(StoreBusy, match="another bot is running"):
            await transfer.take_over(target, file)
    with pytest.raises(StoreError, match=r"set storage\.url to the PostgreSQL"):
        await transfer.take_over(source, file)
    assert await transfer.take_over(target, file) == 0
    with pytest.raises(StoreError, match=r"PostgreSQL .*: the database is not empty"):
        await transfer.take_over(target, file)


async def test_what_is_broken_off_leaves_nothing_behind(
    tmp_path: Path, target: StorageSettings
) -> None:
    async with open_store(sqlite_settings(tmp_path)) as stores:
        await begun(stores.turns, message("1"))
    held, over = asyncio.Event(), asyncio.Event()

    async def hold(connection: Connection) -> None:
        await migrate.begin(connection)
        held.set()
        await over.wait()
        raise StoreError("not now")

    waiting = sa.select(sa.func.count()).select_from(sa.table("pg_locks"))
    waiting = waiting.where(sa.text("NOT granted"))
    async with migrating(target) as other:
        holding = other.write(hold)
        try:
            await held.wait()
            moving = asyncio.create_task(transfer.take_over(target, tmp_path / "store.db"))
            await until(lambda: other.scalar(waiting))
            moving.cancel()
            assert await asyncio.wait([moving], timeout=PATIENCE) == ({moving}, set())
            assert moving.cancelled()
        finally:
            over.set()
        with pytest.raises(StoreError, match="not now"):
            await holding
    assert await transfer.take_over(target, tmp_path / "store.db") > 0
