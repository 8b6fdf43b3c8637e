"""Brings the tables to the state this version of the bot expects.

Alembic takes a third of a second to import, and 9 MB that stay. So only a start that has something
to migrate imports it: the stored revision is looked up with plain SQL first, and in an empty
database the tables are made as they are now, not as they came to be.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import sqlalchemy as sa

import bot
from bot.core.phrases import Phrase
from bot.errors import StoreBroken, StoreError
from bot.store.database import migrating
from bot.store.drivers.connection import Connection
from bot.store.schema import metadata
from bot.store.settings import StorageSettings

if TYPE_CHECKING:
    from alembic.config import Config

_Change: TypeAlias = Callable[[sa.Connection, str | None, str], None]

log = logging.getLogger(__name__)

HEAD = "0015"
"""The newest revision in `migrations/versions`; a test compares."""

_version = sa.Table(
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic makes it."""

_ADVISORY_LOCK = 0x6368696E  # any number, the same in every replica


async def upgrade(settings: StorageSettings) -> bool:
    """Bring the database to `HEAD`; False when it was there already.

    Raises `StoreBroken` when the database is not ours, or newer than this version; it is not
    touched then.
    """
    return await _change(settings, HEAD, _make_or_move)


async def move(settings: StorageSettings, revision: str) -> bool:
    """Bring the database up or down to a revision, step by step; `base` is an empty database."""
    return await _change(settings, revision, _move)


async def _change(settings: StorageSettings, revision: str, change: _Change) -> bool:
    async def job(connection: Connection) -> str | None:
        await _lock(connection)
        found = await current(connection)
        if found != revision:
            await connection.run_sync(change, found, revision)
        return found

    async with migrating(settings) as database:
        found = await database.write(job)
    if found == revision:
        return False
    log.info("database migrated", extra={"found": found, "now": revision})
    return True


async def begin(connection: Connection) -> None:
    """Make the tables as they are now. Raises `StoreError` when the database is not empty."""
    await _lock(connection)
    if await current(connection) is not None:
        raise StoreError(Phrase("the database is not empty; set storage.url to a new one"))
    await connection.run_sync(_make)


async def _lock(connection: Connection) -> None:
    """Let other bots wait that find the same database."""
    if connection.dialect.name == "postgresql":
        lock = sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)
        await connection.execute(sa.select(lock))


async def current(connection: Connection) -> str | None:
    """The revision of the database; None when it is empty.

    Raises `StoreBroken` when it has tables, but not ours.
    """
    names = await connection.run_sync(lambda sync: sa.inspect(sync).get_table_names())
    if "alembic_version" not in names:
        if names:
            foreign = Phrase(
                "the database belongs to something else (it has a table “{table}”); "
                "set storage.url to a database of the bot's own",
                table=names[0],
            )
            raise StoreBroken(foreign)
        return None
    found = (await connection.exec_driver_sql("SELECT version_num FROM alembic_version")).scalars()
    return found.one_or_none()


def must_be_known(revision: str | None) -> None:
    """Raises `StoreBroken` for a revision from which no migration of this version goes on."""
    if revision in (None, HEAD):
        return
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        ScriptDirectory.from_config(config()).get_revision(revision)
    except CommandError as error:
        unknown = Phrase(
            "the database was written by a newer version of the bot (revision {revision}), or by "
            "another program; use that version, restore a backup from before it, or set "
            "storage.url to a database of the bot's own",
            revision=revision,
        )
        raise StoreBroken(unknown) from error


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


def _make_or_move(connection: sa.Connection, found: str | None, revision: str) -> None:
    if found is not None:
        _move(connection, found, revision)
        return
    _make(connection)


def _make(connection: sa.Connection) -> None:
    metadata.create_all(connection, checkfirst=False)
    _version.create(connection)
    connection.execute(sa.insert(_version).values(version_num=HEAD))


def _move(connection: sa.Connection, found: str | None, revision: str) -> None:
    from alembic import command

    must_be_known(found)
    settings = config(connection)
    if revision == "base" or (found is not None and found > revision):
        command.downgrade(settings, revision)
    else:
        command.upgrade(settings, revision)
