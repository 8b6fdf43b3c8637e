"""The SQL of the queue: which turn runs next, and what stands before a turn."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.stores import TurnState
from bot.core.types import Event, Unreadable
from bot.store import codec
from bot.store.columns import Words, utc_now
from bot.store.database import insert
from bot.store.schema import ACTIVE_IN_LANE, WAITING_IN_LANE, turns

_LOOK = sa.text(
    f"""SELECT
    (SELECT id FROM turns WHERE platform = :platform AND key = :key),
    count(*) FILTER (WHERE state = 'waiting'),
    count(*),
    (SELECT count(*) FROM turns WHERE {WAITING_IN_LANE})
    FROM turns WHERE platform = :platform AND chat = :chat AND {ACTIVE_IN_LANE}"""
).bindparams(*(sa.bindparam(name, type_=Words()) for name in ("platform", "key", "chat")))

# `= TRUE`, not the bare column: else SQLite does not look it up in the index on (urgent, id).
_URGENT = sa.text("urgent.state = 'waiting' AND urgent.urgent = TRUE")

_READY = sa.text(
    """lane.state = 'waiting' AND lane.urgent = FALSE AND NOT EXISTS (
        SELECT 1 FROM turns AS other
        WHERE other.platform = lane.platform AND other.chat = lane.chat
        AND other.state IN ('waiting', 'running') AND NOT other.urgent
        AND (other.state = 'running' OR other.id < lane.id))"""
)


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


@dataclass(frozen=True, slots=True)
class View:
    """What an event meets: its own turn if its `key` is known, and who stands before it."""

    known: int | None
    waiting_in_chat: int
    active_in_chat: int
    waiting_in_all: int


async def look(connection: AsyncConnection, event: Event) -> View:
    """What an event meets. Urgent turns are in nobody's way and do not count."""
    chat = codec.chat_of(event)
    row = await connection.execute(
        _LOOK, {"platform": chat.platform, "key": event.key, "chat": chat.id}
    )
    return View(*row.one())


async def add(connection: AsyncConnection, event: Event, *, urgent: bool) -> int | None:
    """A waiting turn for an event; None when its key is known."""
    chat = codec.chat_of(event)
    statement = (
        insert(connection, turns)
        .values(
            platform=chat.platform,
            chat=chat.id,
            user_id=codec.sender_of(event).id,
            urgent=urgent,
            state=TurnState.WAITING.value,
            **_new(event),
        )
        .on_conflict_do_nothing()
        .returning(turns.c.id)
    )
    new: int | None = (await connection.execute(statement)).scalar_one_or_none()
    return new


async def bury(connection: AsyncConnection, event: Unreadable) -> None:
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
        "accepted_at": utc_now(),
    }


async def ahead(connection: AsyncConnection, turn_id: int) -> int:
    """How many turns of the same chat, waiting or running, stand before this one."""
    query = sa.text(
        """SELECT count(*) FROM turns AS this JOIN turns AS earlier
        ON earlier.platform = this.platform AND earlier.chat = this.chat AND earlier.id < this.id
        WHERE this.id = :turn_id AND NOT this.urgent
        AND earlier.state IN ('waiting', 'running') AND NOT earlier.urgent"""
    ).bindparams(turn_id=turn_id)
    count: int = (await connection.execute(query)).scalar_one()
    return count


async def claim(connection: AsyncConnection, owner: str, lease: float) -> Claimed | None:
    """Mark the oldest turn that may run as running, and return it; urgent turns go first.

    One statement, so two processes cannot take the same turn. Only the first of a lane may be
    taken, also while another process has it locked: else the second would overtake it.
    """
    first_urgent = _first(turns.alias("urgent"), _URGENT)
    first_ready = _first(turns.alias("lane"), _READY)
    statement = (
        sa.update(turns)
        .where(turns.c.id == sa.func.coalesce(first_urgent, first_ready))
        .values(
            state=TurnState.RUNNING.value,
            owner=owner,
            started_at=utc_now(),
            lease_until=utc_now(lease),
        )
        .returning(
            turns.c.id,
            turns.c.platform,
            turns.c.chat,
            turns.c.kind,
            turns.c.event,
            turns.c.urgent,
            turns.c.attempt,
            turns.c.partial,
            turns.c.shown,
            turns.c.progress,
        )
    )
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Claimed(*row)


def _first(lane: sa.FromClause, condition: sa.TextClause) -> sa.ScalarSelect[int]:
    return (
        sa.select(lane.c.id)
        .where(condition)
        .order_by(lane.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer anyhow
        .scalar_subquery()
    )
