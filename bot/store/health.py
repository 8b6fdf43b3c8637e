"""Whether the database can be used, and what to do when not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bot.core.phrases import Phrase, placed, said
from bot.core.types import Finding
from bot.errors import StoreBroken, StoreBusy, StoreError, StoreFull
from bot.store import migrate
from bot.store.database import Database, connected
from bot.store.drivers.connection import Connection
from bot.store.drivers.poolers import sessions_must_be_ours
from bot.store.settings import StorageSettings

QUICK = 64 * 1024 * 1024
"""Bytes of a SQLite file that are checked in about 0.1 s; a larger file is not at every start."""

ROOM = 50_000_000
"""Bytes that should be free on the disk: SQLite's log grows by megabytes before it is emptied."""

_REPAIR = Phrase("restore a backup, or move the file away and begin with an empty one")
_START = Phrase("start the server, or correct storage.url")
_WRITABLE = Phrase("make the file and its folder writable, or change storage.url")
_MAKE_ROOM = Phrase("make room on the disk")
_PRIMARY = Phrase("name the primary in storage.url, or make the database writable")


def folder_must_exist(file: Path) -> None:
    """Raises `StoreError` when there is no folder for the database file."""
    if not file.parent.is_dir():
        missing = Phrase(
            "the folder {folder} for the database does not exist; make it, or change storage.url",
            folder=file.parent,
        )
        raise StoreError(missing)


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
        raise StoreBroken(_to_repair(error)) from error
    if verdict != "ok":
        damaged = Phrase("the database file is damaged")
        raise StoreBroken(_to_repair(Phrase("{text} ({note})", text=damaged, note=verdict)))


def _to_repair(problem: object) -> Phrase:
    return Phrase("{problem}; {advice}", problem=problem, advice=_REPAIR)


async def look(settings: StorageSettings) -> Sequence[Finding]:
    """See `bot.store.check`."""
    file = settings.sqlite_file
    try:
        if file is not None and not file.exists():
            return [_new_file(file)]
        if file is not None and not _is_writable(file):
            text = Phrase("the database file or its folder is read-only")
            return [_bad(placed(settings.place, text), fix=_WRITABLE)]
        if file is not None and (free := shutil.disk_usage(file.parent).free) < ROOM:
            return [_cramped(file, free)]
        await sessions_must_be_ours(settings)
        async with connected(settings) as database:
            if database.sqlite:
                await integrity(database)
            revision = await database.read(migrate.current)
            read_only = not database.sqlite and await database.read(_reads_only)
        migrate.must_be_known(revision)
    except StoreError as error:
        return [_bad(placed(settings.place, error), fix=_fix(settings, error))]
    if read_only:
        return [_bad(placed(settings.place, Phrase("the database is read-only")), fix=_PRIMARY)]
    if revision == migrate.HEAD:
        return [_good(Phrase("{database}, up to date", database=settings.place))]
    return [_good(Phrase("{database}, will be migrated at the start", database=settings.place))]


async def _reads_only(connection: Connection) -> bool:
    """Whether a PostgreSQL is a standby, or was made read-only."""
    rows = await connection.exec_driver_sql("SHOW transaction_read_only")
    return str(rows.scalar_one()) == "on"


def _is_writable(file: Path) -> bool:
    """A read-only file is opened, and read, without complaint."""
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)


def _fix(settings: StorageSettings, error: StoreError) -> str:
    match error:
        case StoreBroken():
            return ""  # its text says what to do
        case StoreFull():
            return _MAKE_ROOM
        case StoreBusy():
            there = settings.sqlite_file is None
            return _START if there else Phrase("end the other process that uses the file")
    return Phrase("correct storage.url")


def _new_file(file: Path) -> Finding:
    try:
        folder_must_exist(file)
    except StoreError as error:
        return _bad(said(error))  # which says what to do
    if not os.access(file.parent, os.W_OK):
        text = Phrase("the folder {folder} is read-only", folder=file.parent)
        return _bad(text, fix=_WRITABLE)
    if (free := shutil.disk_usage(file.parent).free) < ROOM:
        return _cramped(file, free)
    return _good(Phrase("SQLite {file}, will be made at the start", file=file))


def _cramped(file: Path, free: int) -> Finding:
    room = f"{free / 1e6:.1f} MB"
    text = Phrase(
        "{database}: only {room} are free on the disk", database=f"SQLite {file}", room=room
    )
    return _bad(text, fix=_MAKE_ROOM)


def _good(text: str) -> Finding:
    return Finding(ok=True, subject=Phrase("database"), text=text)


def _bad(text: str, *, fix: str = "") -> Finding:
    return Finding(ok=False, subject=Phrase("database"), text=text, fix=fix)
