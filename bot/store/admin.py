"""What an operator does to the database: `bot db`. Works beside a running bot."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.core.clock import SystemClock
from bot.core.facts import Fact
from bot.core.limits.calendar import UTC_CALENDAR, Calendar
from bot.core.phrases import Phrase, placed, reason
from bot.core.queue import OPEN, TurnState
from bot.core.statistics import Extent
from bot.core.upkeep import Purged
from bot.errors import StoreError
from bot.store import migrate, ratings
from bot.store.database import Database, connected
from bot.store.drivers.connection import Connection
from bot.store.drivers.errors import located, translated
from bot.store.facts import young
from bot.store.owner_lock import is_owned
from bot.store.purging import Purging
from bot.store.queue import lanes
from bot.store.schema import model_facts, turns
from bot.store.settings import StorageSettings
from bot.store.statistics import extent

BACKED_UP = "a running bot was about to answer it when this backup was made"
LISTED = 50
"""Turns that are listed at most."""
REST = 1.0
"""Seconds of rest for each of deleting: half of the time belongs to the running bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where the database is and how much there is in it.

    `liked` and `disliked` count what people thought of answers.
    """

    place: str
    revision: str
    extent: Extent
    waiting: int
    running: int
    dead: int
    liked: int
    disliked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptTurn:
    """What is told of a turn: nothing that people wrote.

    `since` in UTC: when it was given up, else when its attempt began or, as yet, it was taken in.
    """

    id: int
    platform: str
    chat: str
    state: str
    attempt: int
    error: str
    since: datetime


_KEPT = sa.select(
    *(turns.c[name] for name in ("id", "platform", "chat", "state", "attempt")),
    sa.func.coalesce(turns.c.error, "").label("error"),
    sa.func.coalesce(turns.c.finished_at, turns.c.started_at, turns.c.accepted_at).label("since"),
).limit(LISTED)


async def status(settings: StorageSettings) -> Status:
    """Count what waits, runs and was given up."""

    async def job(connection: Connection) -> Status:
        query = sa.select(turns.c.state, sa.func.count()).group_by(turns.c.state)
        count: dict[str, int] = {row[0]: row[1] for row in await connection.execute(query)}
        liked, disliked = await ratings.count(connection)
        return Status(
            place=settings.place,
            revision=migrate.HEAD,
            extent=await extent(connection),
            waiting=count.get(TurnState.WAITING.value, 0) + count.get(TurnState.JOINED.value, 0),
            running=count.get(TurnState.RUNNING.value, 0),
            dead=count.get(TurnState.DEAD.value, 0),
            liked=liked,
            disliked=disliked,
        )

    async with migrated(settings) as database:
        return await database.read(job)


async def open_turns(settings: StorageSettings) -> Sequence[KeptTurn]:
    """The turns that are not over, oldest first: running, answered with that, or waiting."""
    return await _listed(settings, _KEPT.where(turns.c.state.in_(OPEN)).order_by(turns.c.id))


async def dead_turns(settings: StorageSettings) -> Sequence[KeptTurn]:
    """The turns that were given up, newest first."""
    dead = _KEPT.where(turns.c.state == TurnState.DEAD.value)
    return await _listed(settings, dead.order_by(turns.c.id.desc()))


async def _listed(settings: StorageSettings, query: sa.Select[Any]) -> Sequence[KeptTurn]:
    async with migrated(settings) as database:
        return [KeptTurn(**row._mapping) for row in await database.rows(query)]


async def retry(settings: StorageSettings, only: Collection[int] | None = None) -> int:
    """Let dead turns wait again, all or `only` these; returns how many.

    An event that nobody could read stays dead.
    """
    statement = lanes.revival()
    if only is not None:
        statement = statement.where(turns.c.id.in_(only))
    async with migrated(settings) as database:
        return await database.change(statement)


async def facts(settings: StorageSettings) -> Sequence[Fact]:
    """What servers have told about models, newest first."""
    async with migrated(settings) as database:
        return await database.read(young)


async def unlearn(settings: StorageSettings, models: Collection[str] | None = None) -> int:
    """Forget that, of all models or of these; returns how much it was."""
    statement = sa.delete(model_facts)
    if models is not None:
        statement = statement.where(model_facts.c.model.in_(models))
    async with migrated(settings) as database:
        return await database.change(statement)


async def purge(
    settings: StorageSettings, *, older_than: timedelta, calendar: Calendar = UTC_CALENDAR
) -> Purged:
    """Delete turns that are over, dead ones too, and buttons, when they are older than this.

    A platform may deliver an event again for a day (Telegram), and the turn is what tells that it
    was answered: younger turns should stay. Conversations stay as long as the settings say.
    """
    keeping = replace(settings.keeping, events=older_than)
    async with migrated(settings) as database:
        return await Purging(database, keeping, calendar).purge(SystemClock(), rest=REST)


async def backup(settings: StorageSettings, to: Path) -> int:
    """Copy the SQLite database, in use or not, to a new file; returns its size in bytes.

    It may be of another version of the bot: a backup is made before an upgrade. What a bot at work
    is about to answer is given up in the copy, where it would be answered twice. Raises
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
        # Nobody else on the machine may read what people wrote, nor hold the file already.
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600, exist_ok=False)
    except OSError as error:
        raise StoreError(placed(str(to), reason(error))) from error
    try:
        with located(str(to)), translated():  # the disk of a backup is another
            source, target = sqlite3.connect(file), sqlite3.connect(unfinished)
            with closing(source), closing(target):
                source.backup(target)
                if is_owned(file):
                    _give_up_what_is_open(target)
            unfinished.rename(to)
    finally:
        unfinished.unlink(missing_ok=True)
    return to.stat().st_size


def _give_up_what_is_open(copy: sqlite3.Connection) -> None:
    """The bot goes on with it: whoever began there where the copy ends would answer it again.

    And what it has posted of these answers since would be taken for lost, and deleted.
    """
    columns = {row[1] for row in copy.execute("PRAGMA table_info(turns)")}
    states = ", ".join(f"'{state}'" for state in OPEN)
    values = [f"state = '{TurnState.DEAD}'", "owner = NULL", f"error = '{BACKED_UP}'"]
    values += ["finished_at = strftime('%Y-%m-%d %H:%M:%f', 'now')"]
    values += ["lead = NULL"] if "lead" in columns else []
    with copy:
        copy.execute(f"UPDATE turns SET {', '.join(values)} WHERE state IN ({states})")
        if "unswept" in columns:
            copy.execute("UPDATE turns SET unswept = ''")


@asynccontextmanager
async def migrated(settings: StorageSettings) -> AsyncIterator[Database]:
    """The database as it is, if it is of this version. Raises `StoreError`."""
    async with connected(settings, limited=False) as database:
        revision = await database.read(migrate.current)
        migrate.must_be_known(revision)
        if revision != migrate.HEAD:
            old = Phrase(
                "{database} is of an older version: run `bot db upgrade`", database=settings.place
            )
            raise StoreError(old)
        yield database
