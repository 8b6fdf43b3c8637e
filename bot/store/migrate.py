"""Brings the tables to the state this version of the bot expects.

Alembic takes a third of a second to import, so the stored revision is looked up with plain SQL
first: a start with nothing to migrate does not import it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

import bot
from bot.errors import StoreBroken
from bot.store.connection import Connection
from bot.store.database import migrating_engine
from bot.store.errors import translated
from bot.store.settings import StorageSettings

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)

HEAD = "0008"
"""The newest revision in `migrations/versions`; a test compares."""

_ADVISORY_LOCK = 0x6368696E  # any number, the same in every replica


async def upgrade(settings: StorageSettings) -> bool:
    """Bring the database to `HEAD`; False when it was there already.

    Raises `StoreBroken` when the database is not ours, or newer than this version; it is not
    touched then.
    """
    return await move(settings, HEAD)


async def move(settings: StorageSettings, revision: str) -> bool:
    """Bring the database up or down to a revision; `base` is an empty database."""
    engine = migrating_engine(settings)
    try:
        with translated():
            async with engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    lock = sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)
                    await connection.execute(sa.select(lock))
                found = await current(connection)
                if found == revision:
                    return False
                await connection.run_sync(_run, found, revision)
    finally:
        await engine.dispose()
    log.info("database migrated", extra={"found": found, "now": revision})
    return True


async def current(connection: Connection) -> str | None:
    """The revision of the database; None when it is empty.

    Raises `StoreBroken` when it has tables, but not ours.
    """
    names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    if "alembic_version" not in names:
        if names:
            raise StoreBroken(
                f"the database belongs to something else (it has a table {names[0]!r}); "
                "set storage.url to a database of the bot's own"
            )
        return None
    found = (await connection.exec_driver_sql("SELECT version_num FROM alembic_version")).scalars()
    return found.one_or_none()


def config(connection: sa.Connection | None = None) -> Config:
    """What Alembic must know; there is no alembic.ini."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_scripts()))
    config.attributes["connection"] = connection
    return config


def _scripts() -> Path:
    """The folder of the migrations: inside the package when installed, else in the checkout."""
    package = Path(bot.__file__).parent
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def _run(connection: sa.Connection, found: str | None, revision: str) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    settings = config(connection)
    scripts = ScriptDirectory.from_config(settings)
    try:
        scripts.get_revision(found or "base")
    except CommandError as error:
        raise StoreBroken(
            f"the database was made by a newer version (revision {found}), or by another program; "
            "install that version, or set storage.url to a database of the bot's own"
        ) from error
    if revision == "base" or (found is not None and found > revision):
        command.downgrade(settings, revision)
    else:
        command.upgrade(settings, revision)
