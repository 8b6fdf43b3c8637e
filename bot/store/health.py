"""Whether the database can be used, and what to do when not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from bot.core.types import Finding
from bot.errors import StoreBroken, StoreError
from bot.store import migrate
from bot.store.connection import Connection
from bot.store.database import Database, connected
from bot.store.settings import StorageSettings

QUICK = 64 * 1024 * 1024
"""Bytes of a SQLite file that are checked in about 0.1 s; a larger file is not at every start."""

_REPAIR = "restore a backup, or move the file away and begin with an empty one"


def folder_must_exist(file: Path) -> None:
    """Raises `StoreError` when there is no folder for the database file."""
    if not file.parent.is_dir():
        raise StoreError(
            f"the folder {file.parent} for the database does not exist; make it, or change "
            "storage.url"
        )


async def file_must_be_sound(settings: StorageSettings) -> None:
    """Raises `StoreBroken` when the SQLite file is damaged, or not one. Small files only."""
    file = settings.sqlite_file
    if file is None or not file.exists() or file.stat().st_size > QUICK:
        return
    async with connected(settings) as database:
        await integrity(database)


async def integrity(database: Database) -> None:
    """Read a whole SQLite file. Raises `StoreBroken` when it is damaged, or not one."""

    async def job(connection: Connection) -> str:
        rows = await connection.exec_driver_sql("PRAGMA quick_check(1)")
        return str(rows.scalar_one())

    try:
        verdict = await database.read(job)
    except StoreBroken as error:
        raise StoreBroken(f"{error}; {_REPAIR}") from error
    if verdict != "ok":
        raise StoreBroken(f"the database file is damaged ({verdict}); {_REPAIR}")


async def look(settings: StorageSettings) -> Sequence[Finding]:
    """See `bot.store.check`."""
    file = settings.sqlite_file
    try:
        if file is not None and not file.exists():
            return [_new_file(file)]
        async with connected(settings) as database:
            if database.sqlite:
                await integrity(database)
            revision = await database.read(migrate.current)
    except StoreError as error:
        return [_bad(f"{settings.place}: {error}")]
    if revision == migrate.HEAD:
        return [_good(f"{settings.place}, up to date")]
    return [_good(f"{settings.place}, will be migrated at the start")]


def _new_file(file: Path) -> Finding:
    try:
        folder_must_exist(file)
    except StoreError as error:
        return _bad(str(error))
    if not os.access(file.parent, os.W_OK):
        return _bad(f"the folder {file.parent} is read-only")
    return _good(f"SQLite {file}, will be made at the start")


def _good(text: str) -> Finding:
    return Finding(ok=True, subject="database", text=text)


def _bad(text: str) -> Finding:
    return Finding(ok=False, subject="database", text=text, fix="correct storage.url")
