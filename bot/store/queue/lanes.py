"""The SQL of the queue: which turn runs next, and what stands before a turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from bot.core.queue import OPEN, Turn, TurnState
from bot.core.types import ChatId, ChatRef, MessageId, MessageRef
from bot.store import chats, codec
from bot.store.columns import Words, utc_now
from bot.store.connection import Connection
from bot.store.schema import ACTIVE_IN_LANE, chat_of, in_chat, turns


def lane(dialect: str) -> str:
    """What follows the name of the table where a statement is about what is active in a lane.

    Left alone, SQLite looks through everything that a chat ever said: to its planner the index of
    all turns is as good as that of the few (https://www.sqlite.org/lang_indexedby.html).
    """
    return "INDEXED BY ix_turns_lane" if dialect == "sqlite" else ""


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


def stood_in(platform: str, chat: str) -> str:
    """The query for what stood in a chat when its newest turn ended, later if that is tried again.

    The arguments are SQL, as is what is returned.
    """
    return f"""SELECT before.stood FROM turns AS before
        WHERE before.platform = {platform} AND before.chat = {chat}
        AND NOT before.urgent AND before.stood <> '' ORDER BY before.id DESC LIMIT 1"""


_STOOD: sa.ColumnClause[str] = sa.literal_column(
    f"coalesce(({stood_in('turns.platform', 'turns.chat')}), '')", Words()
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
    stopped: bool
    followed: bool = True
    settings: str | None = None


CLAIMED = tuple(turns.c[field.name] for field in fields(Claimed) if field.name in turns.c)
"""The columns of `Claimed` that are the turn's own, in its order."""


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
    return (
        sa.update(turns)
        .where(turns.c.id == sa.func.coalesce(first_urgent, first_ready))
        .values(
            state=TurnState.RUNNING.value,
            owner=sa.bindparam("claims"),
            started_at=utc_now(),
            lease_until=utc_now(lease),
            stood=sa.case((turns.c.stood != "", turns.c.stood), else_=_STOOD),
        )
        .returning(*CLAIMED, _followed(dialect), _SETTINGS)
    )


def turn(row: Claimed) -> Turn:
    """A row in the terms of the core. Raises `codec.UndecodableError`."""
    stood = codec.SHOWN.load(row.stood) if row.stood else ()
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
        shown=codec.SHOWN.load(row.shown),
        progress=row.progress,
        stopped=row.stopped,
        stood=stood[0] if stood else None,
    )


async def known_messages(connection: Connection, turn_id: int) -> Sequence[MessageRef]:
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
            chat = chat_of(row)
            refs.append(MessageRef(chat, MessageId(row.message)))
        refs += codec.SHOWN.load(row.shown)
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
            stopped=False,
        )
    )


def _first(lane: sa.FromClause, condition: sa.TextClause) -> sa.ScalarSelect[int]:
    return (
        sa.select(lane.c.id)
        .where(condition)
        .order_by(lane.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer anyhow
        .scalar_subquery()
    )


async def stop(connection: Connection, chat: ChatRef, held: Sequence[int]) -> bool:
    """Mark what is being answered in a chat, other than what is `held`; False when nothing is.

    Also what was interrupted and waits to be gone on with; not what waits for its first attempt.
    """
    interrupted = sa.or_(turns.c.attempt > 1, turns.c.partial != "")
    marking = sa.update(turns).where(
        *in_chat(turns, chat),
        ~turns.c.urgent,
        turns.c.id.not_in(held),
        sa.or_(
            turns.c.state == TurnState.RUNNING.value,
            sa.and_(turns.c.state == TurnState.WAITING.value, interrupted),
        ),
    )
    return (await connection.execute(marking.values(stopped=True))).rowcount > 0


async def runs(connection: Connection, chat: ChatRef, held: Sequence[int]) -> bool:
    """Whether a turn of this chat that is not urgent runs, other than those that are `held`."""
    query = sa.select(turns.c.id).where(
        *in_chat(turns, chat),
        turns.c.state == TurnState.RUNNING.value,
        ~turns.c.urgent,
        turns.c.id.not_in(held),
    )
    return await connection.scalar(query.limit(1)) is not None


async def active(connection: Connection, turn_ids: Sequence[int]) -> set[int]:
    """Which of these turns wait or run, be it together with another."""
    found: set[int] = set()
    for at in range(0, len(turn_ids), MANY):
        some = turn_ids[at : at + MANY]
        query = sa.select(turns.c.id).where(turns.c.id.in_(some), turns.c.state.in_(OPEN))
        found |= set((await connection.execute(query)).scalars())
    return found


async def awaits_album(connection: Connection, chat: ChatRef, album: str) -> bool:
    """Whether a message of this album waits, or is being worked on."""
    field = f'"album": {json.dumps(album)}'
    query = (
        sa.select(turns.c.id)
        .where(sa.text(ACTIVE_IN_LANE), *in_chat(turns, chat))
        .where(turns.c.event.contains(field, autoescape=True))
        .limit(1)
    )
    return (await connection.execute(query)).first() is not None
