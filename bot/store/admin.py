"""What an operator does to the database: `bot db`. Works beside a running bot."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.core.facts import Fact
from bot.core.phrases import Phrase
from bot.core.queue import TurnState
from bot.errors import StoreError
from bot.store import migrate, ratings
from bot.store.columns import utc_now
from bot.store.connection import Connection
from bot.store.database import Database, begin_file, connected
from bot.store.errors import translated
from bot.store.facts import young
from bot.store.queue import lanes
from bot.store.schema import actions, files, message_files, model_facts, turns
from bot.store.settings import StorageSettings

_TOLD = (turns.c.id, turns.c.platform, turns.c.chat, turns.c.kind, turns.c.attempt)
"""What is told of every turn: nothing that people wrote."""
AT_ONCE = 2000
"""Rows that are deleted in one transaction: on SQLite, a running bot waits for its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where the database is and how much there is in it; `size` in bytes.

    `liked` and `disliked` count what people thought of answers.
    """

    place: str
    revision: str
    size: int
    waiting: int
    running: int
    dead: int
    liked: int
    disliked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTurn:
    """A turn that waits or runs; `since` in UTC: when it was taken in, or its attempt begun."""

    id: int
    platform: str
    chat: str
    kind: str
    state: str
    attempt: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadTurn:
    """A turn that was given up; `finished` in UTC."""

    id: int
    platform: str
    chat: str
    kind: str
    attempt: int
    error: str
    finished: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """How many rows were deleted."""

    turns: int
    actions: int
    files: int


async def status(settings: StorageSettings) -> Status:
    """Count what waits, runs and was given up."""

    async def job(connection: Connection) -> Status:
        query = sa.select(turns.c.state, sa.func.count()).group_by(turns.c.state)
        count: dict[str, int] = {row[0]: row[1] for row in await connection.execute(query)}
        size = (
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            if settings.sqlite_file is not None
            else "SELECT pg_database_size(current_database())"
        )
        liked, disliked = await ratings.count(connection)
        return Status(
            place=settings.place,
            revision=migrate.HEAD,
            size=(await connection.exec_driver_sql(size)).scalar_one(),
            waiting=count.get(TurnState.WAITING.value, 0) + count.get(TurnState.JOINED.value, 0),
            running=count.get(TurnState.RUNNING.value, 0),
            dead=count.get(TurnState.DEAD.value, 0),
            liked=liked,
            disliked=disliked,
        )

    async with _migrated(settings) as database:
        return await database.read(job)


async def open_turns(settings: StorageSettings, *, limit: int = 50) -> Sequence[OpenTurn]:
    """The turns that are not over, oldest first: what runs, what is answered with it, what waits.

    Nothing of what people wrote is read.
    """
    states = (TurnState.RUNNING.value, TurnState.JOINED.value, TurnState.WAITING.value)
    query = (
        sa.select(
            *_TOLD,
            turns.c.state,
            sa.func.coalesce(turns.c.started_at, turns.c.accepted_at).label("since"),
        )
        .where(turns.c.state.in_(states))
        .order_by(turns.c.id)
        .limit(limit)
    )
    async with _migrated(settings) as database:
        return [OpenTurn(**row._mapping) for row in await database.rows(query)]


async def dead_turns(settings: StorageSettings, *, limit: int = 50) -> Sequence[DeadTurn]:
    """The turns that were given up, newest first."""
    query = (
        sa.select(
            *_TOLD,
            sa.func.coalesce(turns.c.error, "").label("error"),
            turns.c.finished_at.label("finished"),
        )
        .where(turns.c.state == TurnState.DEAD.value)
        .order_by(turns.c.id.desc())
        .limit(limit)
    )
    async with _migrated(settings) as database:
        return [DeadTurn(**row._mapping) for row in await database.rows(query)]


async def retry(settings: StorageSettings, only: Collection[int] | None = None) -> int:
    """Let dead turns wait again, all or `only` these; returns how many.

    An event that nobody could read stays dead.
    """
    statement = lanes.revival()
    if only is not None:
        statement = statement.where(turns.c.id.in_(only))
    async with _migrated(settings) as database:
        return await database.change(statement)


async def facts(settings: StorageSettings) -> Sequence[Fact]:
    """What servers have told about models, newest first."""
    async with _migrated(settings) as database:
        return await database.read(young)


async def unlearn(settings: StorageSettings, models: Collection[str] | None = None) -> int:
    """Forget that, of all models or of these; returns how much it was."""
    statement = sa.delete(model_facts)
    if models is not None:
        statement = statement.where(model_facts.c.model.in_(models))
    async with _migrated(settings) as database:
        return await database.change(statement)


async def purge(settings: StorageSettings, *, older_than: timedelta) -> Purged:
    """Delete turns that ended, dead ones too, and buttons, when they are older than this.

    Conversations stay. A platform may deliver an event again for a day (Telegram), and the turn
    is what tells that it was answered: younger turns should stay.
    """
    long_ago = utc_now(-older_than.total_seconds())
    over = [state.value for state in (TurnState.DONE, TurnState.DEAD)]
    in_use = sa.exists().where(message_files.c.sha256 == files.c.sha256)
    async with _migrated(settings) as database:
        return Purged(
            turns=await _delete(
                database, turns.c.id, turns.c.state.in_(over), turns.c.finished_at < long_ago
            ),
            actions=await _delete(database, actions.c.id, actions.c.created_at < long_ago),
            files=await _delete(database, files.c.sha256, files.c.created_at < long_ago, ~in_use),
        )


async def _delete(database: Database, key: sa.Column[Any], *which: sa.ColumnElement[bool]) -> int:
    """Delete rows by their key, some at a time; half of the time belongs to the running bot."""
    some = sa.select(key).where(*which).limit(AT_ONCE).correlate(None)
    # Said twice: the bot may have changed a row since it was found.
    statement = sa.delete(key.table).where(key.in_(some), *which)
    clock, deleted = asyncio.get_running_loop().time, 0

    async def job(connection: Connection) -> int:
        return (await connection.execute(statement)).rowcount

    while True:
        began = clock()
        count = await database.write(job)
        deleted += count
        if not count:
            return deleted
        await asyncio.sleep(clock() - began)


async def backup(settings: StorageSettings, to: Path) -> int:
    """Copy the SQLite database, in use or not, to a new file; returns its size in bytes.

    It may be of another version of the bot: a backup is made before an upgrade. Raises
    `StoreError` when the file exists, or when the database is PostgreSQL.
    """
    file = settings.sqlite_file
    if file is None:
        advice = Phrase(
            "PostgreSQL makes its own backups: {command} with the parameters of storage.url",
            command=f"pg_dump --format=custom --file={to}",
        )
        raise StoreError(advice)
    async with connected(settings) as database:
        await database.read(migrate.current)  # is it ours?
        return await asyncio.to_thread(_copy, file, to)


def _copy(file: Path, to: Path) -> int:
    """Through SQLite's online backup: one consistent moment, while others read and write."""
    if to.exists():
        raise StoreError(Phrase("{file} exists already; name a new file", file=to))
    unfinished = to.with_name(f"{to.name}.unfinished")
    try:
        with translated():
            begin_file(unfinished)
            source, target = sqlite3.connect(file), sqlite3.connect(unfinished)
            with closing(source), closing(target):
                source.backup(target)
            unfinished.rename(to)
    finally:
        unfinished.unlink(missing_ok=True)
    return to.stat().st_size


@asynccontextmanager
async def _migrated(settings: StorageSettings) -> AsyncIterator[Database]:
    async with connected(settings, limited=False) as database:
        revision = await database.read(migrate.current)
        migrate.must_be_known(revision)
        if revision != migrate.HEAD:
            old = Phrase(
                "{database} is of an older version: run `bot db upgrade`", database=settings.place
            )
            raise StoreError(old)
        yield database
