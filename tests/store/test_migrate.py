"""The migrations, on both databases, and in the wheel."""

from __future__ import annotations

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
from bot.store import StorageSettings, migrate, open_store
from bot.store.database import connected, migrating_engine
from bot.store.schema import metadata
from tests.store.events import chat

ROOT = Path(bot.__file__).parent.parent


async def differences(settings: StorageSettings) -> list[object]:
    """What Alembic would put into the next migration."""

    def compare(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    engine = migrating_engine(settings)
    async with engine.connect() as connection:
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found


async def revision(settings: StorageSettings) -> str | None:
    async with connected(settings) as database:
        return await database.read(migrate.current)


async def test_up_down_and_up_again_ends_with_the_tables_of_the_code(
    empty: StorageSettings,
) -> None:
    assert await migrate.upgrade(empty)
    assert await differences(empty) == []
    assert await migrate.move(empty, "base")
    assert [type(one).__name__ for one in await differences(empty)] != []
    assert await migrate.upgrade(empty)
    assert await differences(empty) == []
    assert await revision(empty) == migrate.HEAD
    assert not await migrate.upgrade(empty)


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
    with pytest.raises(StoreBroken, match="newer version"):
        async with open_store(empty):
            pass
    assert await revision(empty) == "9999"


async def test_the_database_of_another_program_is_refused_and_left_alone(
    empty: StorageSettings,
) -> None:
    engine = migrating_engine(empty)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE recipes (id INTEGER)")
    await engine.dispose()
    with pytest.raises(StoreBroken, match="'recipes'"):
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
    engine = migrating_engine(empty)
    async with engine.begin() as connection:  # in the way of the last table of the migration
        await connection.exec_driver_sql("CREATE VIEW actions AS SELECT 1 AS one")
    await engine.dispose()
    with pytest.raises(StoreError, match="actions"):
        await migrate.upgrade(empty)
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
