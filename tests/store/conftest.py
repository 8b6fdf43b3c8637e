"""Every test that asks for `settings` or `stores` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.core.stores import Stores
from bot.store import StorageSettings, migrate, open_store
from bot.store.drivers import postgres as engines
from bot.store.schema import metadata
from tests.patience import PATIENCE
from tests.store.postgres import Server

_names = itertools.count()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is slow to let a bot in, or to answer, is waited for on a busy machine."""
    for name in ("_CONNECT_SECONDS", "ANSWER"):
        monkeypatch.setattr(engines, name, PATIENCE)


@pytest.fixture(scope="session")
def postgres_tables(postgres: Server) -> StorageSettings:
    """A migrated database; emptied for every test, since making one takes a third of a second."""
    asyncio.run(postgres.execute("CREATE DATABASE tables"))
    settings = StorageSettings(url=postgres.url("tables"), busy_timeout=1)
    asyncio.run(migrate.upgrade(settings))
    return settings


@pytest.fixture(params=["sqlite", "postgres"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> StorageSettings:
    """A database with nothing in it."""
    if request.param == "sqlite":
        return sqlite_settings(tmp_path)
    server: Server = request.getfixturevalue("postgres")
    name = f"test_{next(_names)}"
    asyncio.run(server.execute(f"CREATE DATABASE {name}"))
    return StorageSettings(url=server.url(name), busy_timeout=1)


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> StorageSettings:
    """A migrated database without rows. Its tables must be left as they are."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path)
        return sqlite_settings(tmp_path)
    server: Server = request.getfixturevalue("postgres")
    settings: StorageSettings = request.getfixturevalue("postgres_tables")
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    asyncio.run(server.execute(f"TRUNCATE {tables} RESTART IDENTITY", "tables"))
    return settings


def sqlite_settings(folder: Path) -> StorageSettings:
    return StorageSettings(url=f"sqlite:///{folder}/store.db", busy_timeout=0.3)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
async def stores(settings: StorageSettings) -> AsyncGenerator[Stores]:
    async with open_store(settings) as stores:
        yield stores
