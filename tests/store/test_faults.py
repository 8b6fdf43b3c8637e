"""A database that is locked, full, read-only, damaged, missing or taken: said clearly, survived."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.core.models import UsageEntry, UsageKind
from bot.core.queue import Outcome
from bot.core.stores import Stores
from bot.core.types import Unreadable
from bot.errors import BotError, StoreBroken, StoreBusy, StoreError, StoreFull, StoreRefused
from bot.store import StorageSettings, admin, check, health, migrate, open_store
from bot.store.conversations import ConversationTable
from bot.store.database import Database, connected
from bot.store.drivers import postgres as postgres_engines
from bot.store.drivers.postgres import Connector, engine
from bot.store.queue.intake import Rules
from bot.store.queue.turns import Turns
from tests.patience import PATIENCE
from tests.store.conftest import names, sqlite_settings
from tests.store.events import accept, begun, chat, claim, message, said
from tests.store.postgres import Server


@asynccontextmanager
async def locked(settings: StorageSettings) -> AsyncGenerator[None]:
    """Somebody else holds the database while the block runs."""
    if settings.sqlite_file is not None:
        with closing(sqlite3.connect(settings.sqlite_file, isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            yield
        return
    server = engine(settings, 1, Connector(settings, work=None))
    async with server.begin() as connection:
        await connection.exec_driver_sql("LOCK TABLE turns IN ACCESS EXCLUSIVE MODE")
        yield
    await server.dispose()


async def test_a_locked_database_is_busy_and_works_again_afterwards(
    settings: StorageSettings, stores: Stores
) -> None:
    turn = await begun(stores.turns, message("0"))
    async with locked(settings):
        writes = [stores.turns.accept(message(key), urgent=False) for key in "abc"]
        results = await asyncio.gather(
            *writes, stores.turns.finish(turn.id, Outcome()), return_exceptions=True
        )
        assert [type(result) for result in results] == [StoreBusy] * 4
    await stores.turns.finish(turn.id, Outcome())
    assert (await stores.turns.accept(message("a"), urgent=False)).fresh


async def test_a_lock_that_is_let_go_in_time_is_waited_for(settings: StorageSettings) -> None:
    patient = settings.model_copy(update={"busy_timeout": 20.0})
    async with open_store(patient) as stores:
        async with locked(settings):
            accepting = asyncio.create_task(stores.turns.accept(message("1"), urgent=False))
            _, pending = await asyncio.wait([accepting], timeout=0.2)
            assert pending
        assert (await accepting).fresh


async def test_a_large_database_is_migrated_and_purged_however_long_that_takes(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_engines, "WORK", 0.1)
    await postgres.execute("CREATE DATABASE large")
    settings = StorageSettings(url=postgres.url("large"), busy_timeout=0.1)
    await migrate.move(settings, "0008")
    for statement in (
        "CREATE FUNCTION slow_change() RETURNS event_trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.4); END $$",
        "CREATE FUNCTION slow_delete() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$",
        "CREATE TRIGGER deleting AFTER DELETE ON turns EXECUTE FUNCTION slow_delete()",
        "CREATE EVENT TRIGGER changing ON ddl_command_end EXECUTE FUNCTION slow_change()",
    ):
        await postgres.execute(statement, "large")
    assert await migrate.upgrade(settings)
    async with connected(settings) as database:
        turns = Turns(
            database, Rules(per_chat=1, in_all=1, owner="o", lease=1), clock=SystemClock()
        )
        await turns.bury(Unreadable(key="u", platform="test", raw="?", reason="not JSON"))
    assert (await admin.purge(settings, older_than=timedelta(seconds=-5))).turns == 1
    async with connected(settings) as database:  # as a running bot is
        with pytest.raises(StoreBusy, match="took too long"):
            await execute(database, "DELETE FROM turns")


async def test_reading_goes_on_while_somebody_writes(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path)
    async with open_store(settings) as stores:
        conversation = await stores.conversations.current(chat())
        async with locked(settings):
            assert await stores.conversations.page(conversation) == []


@asynccontextmanager
async def no_room(database: Database) -> AsyncGenerator[None]:
    """Nothing more fits into the database while the block runs."""
    if database.sqlite:  # one page: SQLite makes it as many as there are
        full, room = ["PRAGMA max_page_count = 1"], "PRAGMA max_page_count = 1073741823"
    else:
        full = [
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$",
            "CREATE TRIGGER full_disk BEFORE INSERT ON messages EXECUTE FUNCTION full_disk()",
        ]
        room = "DROP FUNCTION full_disk CASCADE"
    for statement in full:
        await execute(database, statement)
    try:
        yield
    finally:
        await execute(database, room)


async def execute(database: Database, statement: str) -> None:
    await database.write(lambda connection: connection.exec_driver_sql(statement))


async def test_a_full_database_loses_nothing_and_goes_on_when_there_is_room(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as database:
        turns = Turns(
            database, Rules(per_chat=20, in_all=100, owner="me", lease=30), clock=SystemClock()
        )
        turn = await begun(turns, message("1"))
        conversations = ConversationTable(database)
        conversation = await conversations.current(chat())
        outcome = Outcome(conversation=conversation, messages=(said("x" * 100_000),))
        async with no_room(database):
            for _ in range(2):
                with pytest.raises(StoreFull):
                    await turns.finish(turn.id, outcome)
        assert await conversations.page(conversation) == []
        await turns.finish(turn.id, outcome)
        assert len(await conversations.page(conversation)) == 1
        assert await turns.claim() is None


@pytest.mark.parametrize("count", [10**12, 10**20])
async def test_what_no_column_holds_is_refused_and_takes_no_other_along(
    stores: Stores, count: int
) -> None:
    turns = []
    for name in "ab":
        turn = await begun(stores.turns, message(name, name))
        turns.append(turn.id)
    spent = UsageEntry(
        kind=UsageKind.CHAT, model="m", prompt_tokens=count, cost=Decimal(count) / 1000
    )
    results = await asyncio.gather(
        stores.turns.finish(turns[0], Outcome(usage=(spent,))),
        stores.turns.finish(turns[1], Outcome()),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [StoreRefused, type(None)]


async def test_a_write_that_fails_takes_no_other_along(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path)
    await migrate.upgrade(settings)
    async with connected(settings) as database:
        turns = Turns(
            database, Rules(per_chat=20, in_all=100, owner="me", lease=30), clock=SystemClock()
        )
        sizes = [10, 500_000, 10, 500_000, 10]
        offers = [
            turns.accept(message(str(number), text="x" * size), urgent=False)
            for number, size in enumerate(sizes)
        ]
        async with no_room(database):
            results = await asyncio.gather(*offers, return_exceptions=True)
        assert [isinstance(result, StoreFull) for result in results] == [
            size > 10 for size in sizes
        ]


async def refusal(settings: StorageSettings) -> BotError:
    with pytest.raises(StoreError) as refused:
        async with open_store(settings):
            pass
    [finding] = await check(settings)
    assert not finding.ok
    return refused.value


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path)
    garbage = b"my holiday photos " * 1000
    (tmp_path / "store.db").write_bytes(garbage)
    error = await refusal(settings)
    assert isinstance(error, StoreBroken)
    assert "not a SQLite database" in str(error)
    assert str(tmp_path) in str(error)
    assert "restore a backup" in str(error)
    assert (tmp_path / "store.db").read_bytes() == garbage
    [finding] = await check(settings)
    assert "restore a backup" in finding.text and not finding.fix  # nothing is wrong with the URL


async def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path)
    async with open_store(settings) as stores:
        for number in range(20):
            await accept(stores.turns, message(str(number), text="x" * 5000))
    file = tmp_path / "store.db"
    damaged = bytearray(file.read_bytes())
    damaged[4096 : 4096 * 30] = os.urandom(4096 * 29)
    file.write_bytes(damaged)
    error = await refusal(settings)
    assert isinstance(error, StoreBroken)
    assert "damaged" in str(error)
    assert file.read_bytes() == bytes(damaged)


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path / "missing")
    error = await refusal(settings)
    assert f"the folder {tmp_path}/missing" in str(error)
    assert names(tmp_path) == []


async def test_a_second_bot_on_the_same_file_is_refused(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path)
    async with open_store(settings):
        with pytest.raises(StoreBusy, match="another bot"):
            async with open_store(settings):
                pass
    async with open_store(settings):
        pass


OPEN_UNPRIVILEGED = """
import asyncio, os, sys
from bot.errors import StoreError
from bot.store import StorageSettings, check, open_store

async def main():
    async with open_store(StorageSettings(url=sys.argv[1])):
        pass  # everything is imported now, also what only root may read
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    try:
        async with open_store(StorageSettings(url=sys.argv[2])):
            pass
    except StoreError as error:
        print(error)
    for finding in await check(StorageSettings(url=sys.argv[2])):
        print("check:", finding)

asyncio.run(main())
"""


@pytest.mark.parametrize("read_only", ["file", "folder"])
def test_what_is_read_only_is_named(sqlite_template: Path, read_only: str) -> None:
    # In a process of its own, and not under pytest's folder: root may write everything.
    with tempfile.TemporaryDirectory(prefix="chinwag-store-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        file = Path(shutil.copy(sqlite_template, folder / "store.db"))
        file.chmod(0o444 if read_only == "file" else 0o666)
        folder.chmod(0o777 if read_only == "file" else 0o555)
        done = subprocess.run(
            [
                *(sys.executable, "-c", OPEN_UNPRIVILEGED),
                *(f"sqlite:///{sqlite_template}", f"sqlite:///{file}"),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert done.stderr == ""
    assert "is read-only" in done.stdout
    assert str(file) in done.stdout
    [line] = [line for line in done.stdout.splitlines() if line.startswith("check:")]
    assert "ok=False" in line and "fix='make the file and its folder writable" in line


async def test_a_server_that_does_not_run_is_named(tmp_path: Path) -> None:
    settings = StorageSettings(url=f"postgresql://bot:secret@/chinwag?host={tmp_path}")
    error = await refusal(settings)
    assert isinstance(error, StoreBusy)
    assert "does not answer" in str(error)
    [finding] = await check(settings)
    assert finding.fix == "start the server, or correct storage.url"
    assert "secret" not in str(error)


async def test_a_database_or_user_the_server_does_not_know_is_named(postgres: Server) -> None:
    error = await refusal(StorageSettings(url=postgres.url("missing")))
    assert "does not exist on the server" in str(error)
    error = await refusal(StorageSettings(url=postgres.url().replace("chinwag@", "eve@")))
    assert "refuses the user" in str(error)


@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
async def test_a_connection_that_the_server_ended_is_replaced(
    settings: StorageSettings, stores: Stores
) -> None:
    await accept(stores.turns, message("1"))
    async with connected(settings) as database:
        await database.write(
            lambda connection: connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    assert (await stores.turns.accept(message("2"), urgent=False)).fresh
    assert await stores.turns.ahead(2) == 1


@pytest.mark.parametrize("empty", ["postgres"], indirect=True)
async def test_a_database_that_was_read_only_is_written_again_without_a_restart(
    empty: StorageSettings, postgres: Server
) -> None:
    name = empty.url.rpartition("/")[2].partition("?")[0]
    async with open_store(empty) as stores:
        await postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        await postgres.execute(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
            f"WHERE datname = '{name}'"
        )
        with pytest.raises(StoreError, match="read-only"):
            await accept(stores.turns, message("1"))
        [finding] = await check(empty)
        assert (finding.ok, finding.text.endswith("the database is read-only")) == (False, True)
        await postgres.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        assert (await stores.turns.accept(message("1"), urgent=False)).fresh


@asynccontextmanager
async def away(server: Server, database: str) -> AsyncGenerator[None]:
    """The server lets nobody in while the block runs, as when it is started anew."""
    await server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    await server.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
    )
    yield
    await server.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")


@pytest.mark.parametrize("empty", ["postgres"], indirect=True)
async def test_a_history_that_was_asked_for_in_vain_can_be_asked_for_again(
    empty: StorageSettings, postgres: Server
) -> None:
    async with open_store(empty) as stores:
        conversation = await stores.conversations.current(chat())
        async with away(postgres, empty.url.rpartition("/")[2].partition("?")[0]):
            looks = [stores.conversations.history(chat()) for _ in range(2)]
            refused = await asyncio.gather(*looks, return_exceptions=True)
            assert [isinstance(error, StoreError) for error in refused] == [True, True]
        async with asyncio.timeout(PATIENCE):
            assert (await stores.conversations.history(chat())).conversation == conversation


async def test_the_check_says_what_will_happen(settings: StorageSettings, tmp_path: Path) -> None:
    [finding] = await check(settings)
    assert finding.ok
    assert finding.text == f"{settings.place}, up to date"
    [finding] = await check(sqlite_settings(tmp_path / ".."))
    assert (finding.ok, "will be made" in finding.text) == (True, True)


@pytest.mark.parametrize("file", ["store.db", "new.db"])
async def test_the_check_says_when_there_is_hardly_room_on_the_disk(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    shutil.copy(sqlite_template, tmp_path / "store.db")
    monkeypatch.setattr(health, "ROOM", 10**18)
    [finding] = await check(StorageSettings(url=f"sqlite:///{tmp_path / file}"))
    assert not finding.ok
    assert re.fullmatch(rf"SQLite .*/{file}: only [0-9.]+ MB are free on the disk", finding.text)
    assert finding.fix == "make room on the disk"


async def test_rows_that_cannot_be_read_harm_nobody_else(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path)
    async with open_store(settings) as stores:
        await accept(stores.turns, message("1"), message("2"))
        with closing(sqlite3.connect(tmp_path / "store.db")) as other, other:
            other.execute("UPDATE turns SET event = '{}' WHERE id = 1")
            other.execute(
                "INSERT INTO chats VALUES ('test', 'home', 'no JSON', '2026-01-01 00:00:00')"
            )
        turn = await claim(stores.turns)
        assert turn.event.key == "2"
        assert (await stores.settings.load(chat())).model == ""
