"""What stands between a bot and its PostgreSQL: a pooler, or a firewall that forgets."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from bot.errors import StoreBusy, StoreError
from bot.store import StorageSettings, check, migrate, open_store
from bot.store.database import connected
from bot.store.drivers import postgres as engines
from bot.store.drivers.connection import Connection
from bot.store.queue import news
from tests.patience import PATIENCE
from tests.store.events import accept, message
from tests.store.firewall import firewall
from tests.store.pgbouncer import PROGRAM, running_pooler
from tests.store.postgres import Server
from tests.store.test_faults import locked
from tests.store.test_two_bots import two_bots

pooled = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")

_names = itertools.count()


@pytest.fixture
async def database(postgres: Server) -> str:
    """The name of a database that is empty."""
    name = f"pooled_{next(_names)}"
    await postgres.execute(f"CREATE DATABASE {name}")
    return name


@pooled
async def test_two_bots_behind_a_pooler_of_sessions_hear_of_each_other(
    postgres: Server, database: str, tmp_path: Path
) -> None:
    with running_pooler(postgres, mode="session") as pooler:
        settings = StorageSettings(url=pooler.url(database), busy_timeout=1)
        [finding] = await check(settings)
        assert finding.ok
        async with two_bots(settings, tmp_path) as (one, two):
            one.api.script.answer("slow answer " * 40)
            async with one.answering("question"):
                await two.write("/stop")
                await one.answered()
            [answer] = one.platform.kept()
            assert answer.endswith("⏹ Stopped.")
            async with locked(settings):
                with pytest.raises(StoreBusy, match="locked by another process"):
                    await accept(one.services.stores.turns, message("1"))


@pooled
@pytest.mark.parametrize("migrated", [False, True])
async def test_a_pooler_that_shares_sessions_is_refused_with_what_to_do(
    postgres: Server, database: str, *, migrated: bool
) -> None:
    if migrated:
        await migrate.upgrade(StorageSettings(url=postgres.url(database)))
    with running_pooler(postgres, mode="transaction") as pooler:
        settings = StorageSettings(url=pooler.url(database))
        for _ in range(2):
            [finding] = await check(settings)
            assert not finding.ok
            assert "a pooler in session mode" in finding.text
            with pytest.raises(StoreError, match="a pooler in session mode"):
                async with open_store(settings):
                    pass


@pooled
async def test_why_a_pooler_lets_nobody_in_is_said_in_its_words(postgres: Server) -> None:
    with running_pooler(postgres, mode="session") as pooler:
        [finding] = await check(StorageSettings(url=pooler.url("missing")))
        assert 'database "missing" does not exist' in finding.text


async def test_a_bot_whose_connection_a_firewall_has_forgotten_hears_of_others_again(
    postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOOK_EVERY", "LOOK_SECONDS", "AGAIN"):
        monkeypatch.setattr(news, name, 0.1)
    async with (
        firewall(postgres) as wall,
        open_store(StorageSettings(url=wall.server.url(database), busy_timeout=1)) as stores,
    ):
        woken = asyncio.Event()
        stores.turns.listen(woken.set, lambda _: None, lambda *_: None)
        wall.forget()
        async with asyncio.timeout(PATIENCE):
            await woken.wait()  # it looks for itself when it listens anew
            woken.clear()
            await postgres.execute("NOTIFY chinwag_turns, 'elsewhere'", database)
            await woken.wait()


async def test_connections_that_a_firewall_has_forgotten_are_replaced_before_they_are_used(
    postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "ANSWER", 0.5)
    chat = message("1").ref.chat
    async with (
        firewall(postgres) as wall,
        open_store(StorageSettings(url=wall.server.url(database), busy_timeout=1)) as stores,
    ):

        async def all_connections() -> None:
            await asyncio.gather(*(stores.settings.load(chat) for _ in range(8)))

        await all_connections()
        before = wall.connections
        wall.forget()
        async with asyncio.timeout(PATIENCE):
            accepted, _ = await asyncio.gather(
                stores.turns.accept(message("1"), urgent=False), all_connections()
            )
        assert accepted.fresh
        assert wall.connections - before > 1


async def test_a_transaction_that_a_firewall_has_forgotten_fails_and_lets_go_of_its_rows(
    postgres: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WORK", "ANSWER"):
        monkeypatch.setattr(engines, name, 0.5)
    monkeypatch.setattr(engines, "IDLE", 1.0)
    await migrate.upgrade(StorageSettings(url=postgres.url(database)))

    async def touch(connection: Connection) -> None:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")

    async with (
        firewall(postgres) as wall,
        connected(StorageSettings(url=wall.server.url(database), busy_timeout=1)) as bot,
    ):

        async def is_forgotten(connection: Connection) -> None:
            await touch(connection)
            wall.forget()
            await touch(connection)

        async with asyncio.timeout(PATIENCE):
            with pytest.raises(StoreBusy):
                await bot.write(is_forgotten)
            await bot.write(touch)
