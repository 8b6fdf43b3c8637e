"""The SQL of the queue: which turn runs next, and what stands before a turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from bot.core.stores import Turn, TurnState
from bot.core.types import (
    ChatId,
    ChatRef,
    Event,
    IncomingMessage,
    MessageId,
    MessageRef,
    Unreadable,
)
from bot.store import chats, codec
from bot.store.columns import Words, utc_now
from bot.store.connection import Connection
from bot.store.database import insert, insert_for
from bot.store.schema import ACTIVE_IN_LANE, WAITING_IN_LANE, turns


def lane(dialect: str) -> str:
    """What follows the name of the table where a statement is about what is active in a lane.

    Left alone, SQLite looks through everything that a chat ever said: to its planner the index of
    all turns is as good as that of the few (https://www.sqlite.org/lang_indexedby.html).
    """
    return "INDEXED BY ix_turns_lane" if dialect == "sqlite" else ""


@cache
def _looking(dialect: str) -> sa.TextClause:
    return sa.text(
        f"""SELECT
        coalesce(
            (SELECT id FROM turns WHERE platform = :platform AND key = :key),
            (SELECT id FROM turns WHERE platform = :platform AND gesture = :gesture
                AND gesture <> '')),
        count(*) FILTER (WHERE state = 'waiting'),
        count(*),
        (SELECT count(*) FROM turns WHERE {WAITING_IN_LANE})
        FROM turns {lane(dialect)}
        WHERE platform = :platform AND chat = :chat AND {ACTIVE_IN_LANE}"""
    ).bindparams(
        *(sa.bindparam(name, type_=Words()) for name in ("platform", "key", "gesture", "chat"))
    )


# `= TRUE`, not the bare column: else SQLite does not look it up in the index on (urgent, id).
_URGENT = sa.text("urgent.state = 'waiting' AND urgent.urgent = TRUE")


def _ready(dialect: str) -> sa.TextClause:
    return sa.text(
        f"""lane.state = 'waiting' AND lane.urgent = FALSE AND NOT EXISTS (
        SELECT 1 FROM turns AS other {lane(dialect)}
        WHERE other.platform = lane.platform AND other.chat = lane.chat
        AND other.state IN ('waiting', 'running') AND NOT other.urgent
        AND (other.state = 'running' OR other.id < lane.id))"""
    )


# In words, since SQLAlchemy leaves out the names of tables in what SQLite returns; and without the
# casts SQLite uses no index there.
_SETTINGS: sa.ColumnClause[str | None] = sa.literal_column(
    """(SELECT settings FROM chats WHERE chats.platform = CAST(turns.platform AS TEXT)
    AND chats.id = CAST(turns.chat AS TEXT))""",
    Words(),
)


def _followed(dialect: str) -> sa.ColumnClause[bool]:
    return sa.literal_column(
        f"""EXISTS (SELECT 1 FROM turns AS behind {lane(dialect)}
        WHERE behind.platform = CAST(turns.platform AS TEXT)
        AND behind.chat = CAST(turns.chat AS TEXT) AND behind.id > turns.id
        AND behind.state IN ('waiting', 'running') AND NOT behind.urgent)""",
        sa.Boolean(),
    )


MANY = 200
"""Turns of one chat that are looked at, at most."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A turn as it was when it was claimed, its event still JSON."""

    id: int
    platform: str
    chat: str
    kind: str
    event: str
    urgent: bool
    attempt: int
    partial: str
    shown: str
    progress: str
    stood: str
    followed: bool = True
    settings: str | None = None


CLAIMED = tuple(turns.c[field.name] for field in fields(Claimed) if field.name in turns.c)
"""The columns of `Claimed` that are the turn's own, in its order."""


@dataclass(frozen=True, slots=True)
class View:
    """What an event meets: its own turn if its `key` is known, and who stands before it."""

    known: int | None
    waiting_in_chat: int
    active_in_chat: int
    waiting_in_all: int


async def look(connection: Connection, event: Event) -> View:
    """What an event meets. Urgent turns are in nobody's way and do not count."""
    chat = codec.chat_of(event)
    row = await connection.execute(
        _looking(connection.dialect.name),
        {
            "platform": chat.platform,
            "key": event.key,
            "gesture": _gesture(event),
            "chat": chat.id,
        },
    )
    return View(*row.one())


def _gesture(event: Event | Unreadable) -> str:
    return event.gesture if isinstance(event, IncomingMessage) and not event.edited else ""


async def add(
    connection: Connection, event: Event, *, urgent: bool, settled: bool = False
) -> int | None:
    """A waiting turn for an event; None when its key is known.

    What is `settled` asks for no work any more: only its key is kept.
    """
    row = _row(event, urgent=urgent)
    if settled:
        row |= {"state": TurnState.DONE.value, "message": ""}
    statement = _adding(connection.dialect.name, settled)
    new: int | None = (await connection.execute(statement, row)).scalar_one_or_none()
    return new


def _row(event: Event, *, urgent: bool) -> dict[str, object]:
    chat = codec.chat_of(event)
    return {
        "platform": chat.platform,
        "chat": chat.id,
        "user_id": codec.sender_of(event).id,
        "urgent": urgent,
        "state": TurnState.WAITING.value,
        "message": event.ref.id if isinstance(event, IncomingMessage) else "",
        "gesture": _gesture(event),
        **_new(event),
    }


@cache
def _adding(dialect: str, settled: bool) -> ReturningInsert[Any]:
    return (
        insert_for(dialect, turns)
        .values(accepted_at=utc_now(), finished_at=utc_now() if settled else None)
        .on_conflict_do_nothing()
        .returning(turns.c.id)
    )


async def begin(
    connection: Connection, event: Event, owner: str, lease: float, *, urgent: bool
) -> Claimed | None:
    """A turn for an event that runs from the start; None when its key is known, or its lane busy.

    For who has seen that nothing stands before it: another process may have been quicker.
    """
    row = _row(event, urgent=urgent) | {"state": TurnState.RUNNING.value, "owner": owner}
    place = {"in_platform": row["platform"], "in_chat": row["chat"]}
    statement = _beginning(connection.dialect.name, lease)
    found = (await connection.execute(statement, row | place)).one_or_none()
    return None if found is None else Claimed(*found)


@cache
def _beginning(dialect: str, lease: float) -> ReturningInsert[Any]:
    now = {"accepted_at": utc_now(), "started_at": utc_now(), "lease_until": utc_now(lease)}
    stood = _stood_before(sa.bindparam("in_platform"), sa.bindparam("in_chat"))
    return (
        insert_for(dialect, turns)
        .values(**now, stood=stood)
        .on_conflict_do_nothing()
        .returning(*CLAIMED, sa.false(), _SETTINGS)
    )


async def bury(connection: Connection, event: Unreadable) -> None:
    """A dead turn for an event that nobody can read, unless its key is known."""
    statement = (
        insert(connection, turns)
        .values(
            platform=event.platform,
            chat="",
            user_id="",
            urgent=False,
            state=TurnState.DEAD.value,
            error=event.reason,
            finished_at=utc_now(),
            accepted_at=utc_now(),
            **_new(event),
        )
        .on_conflict_do_nothing()
    )
    await connection.execute(statement)


def _new(event: Event | Unreadable) -> dict[str, object]:
    return {
        "key": event.key,
        "kind": codec.kind_of(event),
        "event": codec.dump_event(event),
        "attempt": 1,
        "partial": "",
        "shown": codec.dump_shown(()),
    }


async def ahead(connection: Connection, turn_id: int) -> int:
    """How many turns of the same chat, waiting or running, stand before this one that waits."""
    in_lane = lane(connection.dialect.name)
    query = sa.text(
        f"""SELECT count(*) FROM turns AS this JOIN turns AS earlier {in_lane}
        ON earlier.platform = this.platform AND earlier.chat = this.chat AND earlier.id < this.id
        WHERE this.id = :turn_id AND this.state = 'waiting' AND NOT this.urgent
        AND earlier.state IN ('waiting', 'running') AND NOT earlier.urgent"""
    ).bindparams(turn_id=turn_id)
    count: int = (await connection.execute(query)).scalar_one()
    return count


async def claim(connection: Connection, owner: str, lease: float) -> Claimed | None:
    """Mark the oldest turn that may run as running, and return it; urgent turns go first.

    One statement, so two processes cannot take the same turn. Only the first of a lane may be
    taken, also while another process has it locked: else the second would overtake it.
    """
    claiming = _claiming(connection.dialect.name, lease)
    row = (await connection.execute(claiming, {"claims": owner})).one_or_none()
    return None if row is None else Claimed(*row)


@cache  # putting the statement together takes longer than carrying it out
def _claiming(dialect: str, lease: float) -> ReturningUpdate[Any]:
    first_urgent = _first(turns.alias("urgent"), _URGENT)
    first_ready = _first(turns.alias("lane"), _ready(dialect))
    stood_before = _stood_before(turns.c.platform, turns.c.chat)
    return (
        sa.update(turns)
        .where(turns.c.id == sa.func.coalesce(first_urgent, first_ready))
        .values(
            state=TurnState.RUNNING.value,
            owner=sa.bindparam("claims"),
            started_at=utc_now(),
            lease_until=utc_now(lease),
            stood=sa.case((turns.c.stood != "", turns.c.stood), else_=stood_before),
        )
        .returning(*CLAIMED, _followed(dialect), _SETTINGS)
    )


def turn(row: Claimed) -> Turn:
    """A row in the terms of the core. Raises `codec.UndecodableError`."""
    stood = codec.load_shown(row.stood) if row.stood else ()
    chat = ChatRef(row.platform, ChatId(row.chat))
    return Turn(
        id=row.id,
        chat=chat,
        event=codec.load_event(row.kind, row.event),
        urgent=row.urgent,
        followed=row.followed,
        settings=chats.read(row.settings, chat),
        attempt=row.attempt,
        partial=row.partial,
        shown=codec.load_shown(row.shown),
        progress=row.progress,
        stood=stood[0] if stood else None,
    )


async def known(connection: Connection, turn_id: int) -> Sequence[MessageRef]:
    """The messages of the newest turns of a turn's chat, whoever wrote them."""
    this = turns.alias("this")
    query = (
        sa.select(turns.c.platform, turns.c.chat, turns.c.message, turns.c.shown)
        .join(this, sa.and_(this.c.platform == turns.c.platform, this.c.chat == turns.c.chat))
        .where(this.c.id == turn_id)
        .order_by(turns.c.id.desc())
        .limit(MANY)
    )
    refs: list[MessageRef] = []
    for row in (await connection.execute(query)).all():
        if row.message:
            chat = ChatRef(row.platform, ChatId(row.chat))
            refs.append(MessageRef(chat, MessageId(row.message)))
        refs += codec.load_shown(row.shown)
    return refs


def revival() -> sa.Update:
    """Let dead turns wait again; an event that nobody could read stays dead."""
    return (
        sa.update(turns)
        .where(turns.c.state == TurnState.DEAD.value, turns.c.kind != codec.UNREADABLE)
        .values(
            state=TurnState.WAITING.value,
            attempt=1,
            owner=None,
            error=None,
            finished_at=None,
            stood="",
        )
    )


def _stood_before(
    platform: sa.ColumnElement[str], chat: sa.ColumnElement[str]
) -> sa.ColumnElement[str]:
    """What stood in the chat when the newest turn ended: a later one, if this is tried again."""
    before = turns.alias("before")
    stood = (
        sa.select(before.c.stood)
        .where(
            before.c.platform == platform,
            before.c.chat == chat,
            sa.not_(before.c.urgent),
            before.c.stood != "",
        )
        .order_by(before.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.func.coalesce(stood, "")


def _first(lane: sa.FromClause, condition: sa.TextClause) -> sa.ScalarSelect[int]:
    return (
        sa.select(lane.c.id)
        .where(condition)
        .order_by(lane.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer anyhow
        .scalar_subquery()
    )


async def awaits_album(connection: Connection, chat: ChatRef, album: str) -> bool:
    """Whether a message of this album waits, or is being worked on."""
    field = f'"album": {json.dumps(album)}'
    query = (
        sa.select(turns.c.id)
        .where(sa.text(ACTIVE_IN_LANE))
        .where(turns.c.platform == chat.platform, turns.c.chat == chat.id)
        .where(turns.c.event.contains(field, autoescape=True))
        .limit(1)
    )
    return (await connection.execute(query)).first() is not None
