"""The migrations, on both databases, and in the wheel."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import bot
from bot.errors import StoreBroken, StoreError
from bot.store import StorageSettings, admin, check, migrate, open_store
from bot.store.database import connected, migrating
from bot.store.schema import metadata
from tests.store.events import chat

ROOT = Path(bot.__file__).parent.parent


async def differences(settings: StorageSettings) -> list[object]:
    """What Alembic would put into the next migration."""

    def compare(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    async with migrating(settings) as database:
        return await database.read(lambda connection: connection.run_sync(compare))


async def execute(settings: StorageSettings, statement: str) -> None:
    async with migrating(settings) as database:
        await database.write(lambda connection: connection.exec_driver_sql(statement))


async def everything(settings: StorageSettings) -> dict[str, object]:
    """All that there is to tell about the tables, but for the order of their columns."""

    def look(connection: sa.Connection) -> dict[str, object]:
        inspector = sa.inspect(connection)
        found: dict[str, object] = {
            name: [
                inspector.get_pk_constraint(name),
                *(
                    sorted(json.dumps(each, default=str) for each in look_up(name))
                    for look_up in (
                        inspector.get_columns,
                        inspector.get_foreign_keys,
                        inspector.get_indexes,
                        inspector.get_unique_constraints,
                        inspector.get_check_constraints,
                    )
                ),
            ]
            for name in inspector.get_table_names()
        }
        if connection.dialect.name == "sqlite":
            numbering = "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'"
            found["autoincrement"] = {*connection.exec_driver_sql(numbering).scalars()}
        return found

    async with connected(settings) as database:
        return await database.read(lambda connection: connection.run_sync(look))


async def revision(settings: StorageSettings) -> str | None:
    async with connected(settings) as database:
        return await database.read(migrate.current)


async def test_up_down_and_up_again_ends_with_the_tables_of_the_code(
    empty: StorageSettings,
) -> None:
    assert await migrate.move(empty, migrate.HEAD)
    assert await differences(empty) == []
    assert await migrate.move(empty, "base")
    assert [type(one).__name__ for one in await differences(empty)] != []
    assert await migrate.move(empty, migrate.HEAD)
    assert await differences(empty) == []
    assert await revision(empty) == migrate.HEAD
    assert not await migrate.upgrade(empty)


async def test_a_new_database_is_the_same_as_one_that_came_all_the_way(
    empty: StorageSettings,
) -> None:
    assert await migrate.move(empty, migrate.HEAD)
    migrated = await everything(empty)
    assert await migrate.move(empty, "base")
    await execute(empty, "DROP TABLE alembic_version")
    assert await migrate.upgrade(empty)
    assert await everything(empty) == migrated
    assert await revision(empty) == migrate.HEAD


async def test_a_database_of_an_older_version_is_brought_to_this_one(
    empty: StorageSettings,
) -> None:
    await migrate.move(empty, "0001")
    async with open_store(empty) as stores:
        assert await stores.conversations.current(chat()) > 0
    assert await revision(empty) == migrate.HEAD


def test_the_code_knows_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(migrate.config()).get_heads() == [migrate.HEAD]


async def test_a_start_with_nothing_to_migrate_does_not_import_alembic(
    settings: StorageSettings,
) -> None:
    script = (
        "import asyncio, sys\n"
        "from bot.store import StorageSettings, open_store\n"
        "async def main():\n"
        "    async with open_store(StorageSettings(url=sys.argv[1])): pass\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules)\n"
    )
    # ASYNC221: nothing else runs in this test's loop.
    done = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-c", script, settings.url],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.split() == ["False"]


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    empty: StorageSettings,
) -> None:
    await migrate.upgrade(empty)
    async with connected(empty) as database:
        newer = "UPDATE alembic_version SET version_num = '9999'"
        await database.write(lambda connection: connection.exec_driver_sql(newer))
    with pytest.raises(StoreBroken, match="newer version") as refused:
        async with open_store(empty):
            pass
    [finding] = await check(empty)
    assert (finding.ok, finding.text) == (False, str(refused.value))
    with pytest.raises(StoreBroken, match="newer version"):
        await migrate.upgrade(empty)
    with pytest.raises(StoreBroken, match="newer version"):
        await admin.status(empty)
    assert await revision(empty) == "9999"


async def test_a_database_of_an_older_version_is_said_to_be_migrated(
    empty: StorageSettings,
) -> None:
    await migrate.move(empty, "0001")
    [finding] = await check(empty)
    assert finding.ok
    assert "will be migrated" in finding.text
    assert await revision(empty) == "0001"


async def test_the_database_of_another_program_is_refused_and_left_alone(
    empty: StorageSettings,
) -> None:
    await execute(empty, "CREATE TABLE recipes (id INTEGER)")
    with pytest.raises(StoreBroken, match="“recipes”"):
        async with open_store(empty):
            pass
    async with connected(empty) as database:
        tables = await database.read(
            lambda connection: connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
        )
    assert tables == ["recipes"]


async def test_a_migration_that_breaks_off_leaves_the_database_as_it_was(
    empty: StorageSettings,
) -> None:
    await execute(empty, "CREATE VIEW actions AS SELECT 1 AS one")  # in the way of a table
    with pytest.raises(StoreError, match="actions"):
        await migrate.upgrade(empty)
    assert await revision(empty) is None
    with pytest.raises(StoreError, match="actions"):
        await migrate.move(empty, migrate.HEAD)
    assert await revision(empty) is None


async def test_a_fresh_database_is_ready_at_once(empty: StorageSettings) -> None:
    async with open_store(empty) as stores:
        assert await stores.conversations.current(chat()) > 0


def test_the_wheel_carries_the_migrations(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=50,
    )
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    script = (
        "import asyncio, sys; sys.path.insert(0, sys.argv[1])\n"
        "from bot.store import StorageSettings, migrate\n"
        "assert migrate.__file__.startswith(sys.argv[1])\n"
        "url = f'sqlite:///{sys.argv[1]}/x.db'\n"
        "print(asyncio.run(migrate.upgrade(StorageSettings(url=url))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "site"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
