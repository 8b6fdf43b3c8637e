"""Engines and connections: what SQLite and PostgreSQL need before they behave alike."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar, TypeVarTuple

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.selectable import TypedReturnsRows

from bot.core.limits.calendar import Calendar
from bot.core.phrases import Phrase
from bot.errors import StoreError
from bot.store.drivers.connection import Connection
from bot.store.drivers.engines import AsyncioEngine, Engine, Job, OnStart, ThreadEngine, do_nothing
from bot.store.drivers.errors import translated
from bot.store.drivers.write_ahead import WriteAheadLog
from bot.store.drivers.writer import Writer
from bot.store.settings import StorageSettings

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"

CACHE = "PRAGMA cache_size = -256"
"""Kilobytes of pages that a connection keeps to itself; the system keeps the file, too."""
_SQLITE_READERS = 2
_POSTGRES_READERS = 4


class Database:
    """An open database: jobs that read, and jobs that write, each in a transaction.

    Reading never waits for writing. Jobs run to their end even when their caller is cancelled,
    so that no connection is left in the middle of something.
    """

    def __init__(self, engine: Engine, *, sqlite: bool) -> None:
        self.sqlite = sqlite
        self._engine = engine
        self._writer = Writer(engine)
        self._log = WriteAheadLog(self.read)

    @property
    def dialect(self) -> str:
        """SQLAlchemy's name of what it is."""
        return "sqlite" if self.sqlite else "postgresql"

    def write(
        self, job: Callable[[Connection, *Ts], Awaitable[T]], *arguments: *Ts, patient: bool = False
    ) -> asyncio.Future[T]:
        """Run a job in a transaction; its result comes when it is committed. Raises `StoreError`.

        Who is cancelled while waiting learns nothing; behind `asyncio.shield`, what became of it.
        A `patient` job lets others pass.
        """
        return self.submit_write(_given(job, arguments), on_start=do_nothing, patient=patient)

    async def read(self, job: Callable[[Connection, *Ts], Awaitable[T]], *arguments: *Ts) -> T:
        """Run a job that changes nothing. Raises `StoreError`."""
        return await self._read(_given(job, arguments), do_nothing)

    def submit_write(
        self, job: Job[T], *, on_start: OnStart, patient: bool = False
    ) -> asyncio.Future[T]:
        """`write` for a batch that may grow until `on_start` is called."""
        return self._writer.run(job, on_start=on_start, patient=patient)

    def submit_read(self, job: Job[T], *, on_start: OnStart) -> asyncio.Future[T]:
        """`read` for such a batch."""
        return asyncio.create_task(self._read(job, on_start))

    async def _read(self, job: Job[T], on_start: OnStart) -> T:
        with translated():
            return await self._engine.read(job, on_start)

    async def rows(self, query: TypedReturnsRows[*Ts]) -> Sequence[sa.Row[*Ts]]:
        """All that a query finds. Raises `StoreError`."""

        async def job(connection: Connection) -> Sequence[sa.Row[*Ts]]:
            return (await connection.execute(query)).all()

        return await self.read(job)

    async def row(self, query: TypedReturnsRows[*Ts]) -> sa.Row[*Ts] | None:
        """The first row that a query finds, if any. Raises `StoreError`."""
        return next(iter(await self.rows(query)), None)

    async def scalar(self, query: TypedReturnsRows[T]) -> T | None:
        """The first column of the first row that a query finds, if any. Raises `StoreError`."""
        return await self.read(lambda connection: connection.scalar(query))

    async def change(self, statement: sa.Executable) -> int:
        """Carry out one statement; returns how many rows it has touched. Raises `StoreError`."""

        async def job(connection: Connection) -> int:
            return (await connection.execute(statement)).rowcount

        return await self.write(job)

    async def empty_log(self) -> None:
        """Move SQLite's write-ahead log into the file and empty it; later if somebody reads it.

        What was deleted is then nowhere any more. PostgreSQL sees to this itself.
        """
        if self.sqlite:
            await self._log.empty()

    def empty_log_soon(self) -> None:
        """The same in a second, once for all that is deleted until then."""
        if self.sqlite:
            self._log.empty_soon()

    def abandon(self) -> None:
        """Break off what waits for a server that does not answer; it raises `StoreBusy`."""
        self._engine.abandon()

    async def close(self) -> None:
        """Finish what is under way and close all connections."""
        await self._log.close()
        await self._writer.close()
        await self._engine.close()


class Table:
    """A port over tables of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database


class DatedTable(Table):
    """One in which it matters what day it is, by the `calendar`."""

    def __init__(self, database: Database, calendar: Calendar) -> None:
        super().__init__(database)
        self._calendar = calendar


def _given(job: Callable[[Connection, *Ts], Awaitable[T]], arguments: tuple[*Ts]) -> Job[T]:
    return lambda connection: job(connection, *arguments)


@asynccontextmanager
async def connected(settings: StorageSettings, *, limited: bool = True) -> AsyncIterator[Database]:
    """The database as it is: no file is made, nothing is migrated.

    On PostgreSQL a statement may take as long as it likes unless it is `limited`. Raises
    `StoreError` when there is no SQLite file.
    """
    if settings.sqlite_file is not None and not settings.sqlite_file.exists():
        file = settings.sqlite_file
        raise StoreError(Phrase("there is no database {file} yet", file=file))
    async with _open(settings, limited=limited) as database:
        yield database


@asynccontextmanager
async def migrating(settings: StorageSettings) -> AsyncIterator[Database]:
    """The database for changing its tables; an SQLite file is made where there is none.

    A change may take as long as it likes: a large table is not written anew in a moment.
    On SQLite a table is changed by making it anew and dropping the old one, which with foreign
    keys enforced would delete the rows that point to it (https://www.sqlite.org/lang_altertable.html).
    """
    if settings.sqlite_file is not None:
        await asyncio.to_thread(begin_file, settings.sqlite_file)
    async with _open(settings, limited=False, foreign_keys=False) as database:
        yield database


def begin_file(file: Path) -> None:
    """Make an empty file, unless there is one, that no other user of the machine can read.

    What people wrote stands in it. SQLite's files beside it get the same permissions; why one
    cannot be made, SQLite says itself.
    """
    with suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


@asynccontextmanager
async def _open(
    settings: StorageSettings, *, limited: bool, foreign_keys: bool = True
) -> AsyncIterator[Database]:
    sqlite = settings.sqlite_file is not None
    engine = (
        _sqlite(settings, foreign_keys=foreign_keys)
        if sqlite
        else _postgres(settings, limited=limited)
    )
    database = Database(engine, sqlite=sqlite)
    try:
        yield database
    finally:
        await database.close()


def insert(connection: Connection, table: sa.Table) -> Insert:
    """An INSERT that knows ON CONFLICT."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: sa.Table) -> Insert:
    """The same, by the name of the dialect."""
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def upsert(
    dialect: str,
    table: sa.Table,
    values: Mapping[str, object],
    *changed: str,
    where: sa.ColumnElement[bool] | None = None,
) -> Insert:
    """An INSERT; of a row that is there already, by its primary key, these columns are `changed`.

    Only `where` that is to be.
    """
    new = insert_for(dialect, table).values(values)
    return new.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: new.excluded[name] for name in changed},
        where=where,
    )


def _postgres(settings: StorageSettings, *, limited: bool) -> AsyncioEngine:
    # 9 MB that a bot with SQLite does without.
    from bot.store.drivers.postgres import WORK, Connector, engine

    connector = Connector(settings, work=WORK if limited else None)
    return AsyncioEngine(engine(settings, 1 + _POSTGRES_READERS, connector), connector.abandon)


def _sqlite(settings: StorageSettings, *, foreign_keys: bool) -> ThreadEngine:
    writing = _blocking(settings, 1)
    _prepare_writer(writing, foreign_keys=foreign_keys)
    reading = _blocking(settings, _SQLITE_READERS)
    _prepare(reading, CACHE, "PRAGMA query_only = ON")
    return ThreadEngine(writing, reading, readers=_SQLITE_READERS)


def _blocking(settings: StorageSettings, connections: int) -> sa.Engine:
    return sa.create_engine(
        sa.URL.create("sqlite", database=str(settings.sqlite_file)),  # a % in it means itself
        pool_size=connections,
        max_overflow=0,
        # One thread at a time has a connection, but not always the same one.
        connect_args={"timeout": settings.busy_timeout, "check_same_thread": False},
    )


def _prepare_writer(engine: sa.Engine, *, foreign_keys: bool) -> None:
    _prepare(
        engine,
        CACHE,
        "PRAGMA journal_mode = WAL",
        # A commit is on the disk before an event is acknowledged: the power may go at once.
        "PRAGMA synchronous = FULL",
        # What people want forgotten is overwritten, not only unlinked.
        "PRAGMA secure_delete = ON",
        f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}",
    )

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # The driver's own BEGIN is deferred: it would take the write lock in the middle of the
        # transaction, where waiting for it can fail at once (https://www.sqlite.org/lang_transaction.html).
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _prepare(engine: sa.Engine, *pragmas: str) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say so
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()
