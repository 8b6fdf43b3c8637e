"""Claiming: the one statement that takes the turn which runs next, and the turn it returns."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from bot.core.queue import Turn, TurnState
from bot.core.types import ChatId, ChatRef
from bot.store import chat_settings, codec
from bot.store.columns import Words, utc_now
from bot.store.drivers.connection import Connection
from bot.store.queue.lanes import lane_index
from bot.store.schema import turns


@dataclass(frozen=True, slots=True)
class ClaimedRow:
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


CLAIMED = tuple(turns.c[field.name] for field in fields(ClaimedRow) if field.name in turns.c)
"""The columns of `ClaimedRow` that are the turn's own, in its order."""


async def claim(connection: Connection, owner: str, lease: float) -> ClaimedRow | None:
    """Mark the oldest turn that may run as running, and return it; urgent turns go first.

    One statement, so two processes cannot take the same turn. Only the first of a lane may be
    taken, also while another process has it locked: else the second would overtake it.
    """
    claiming = _claiming(connection.dialect.name, lease)
    row = (await connection.execute(claiming, {"claims": owner})).one_or_none()
    return None if row is None else ClaimedRow(*row)


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


def turn_of(row: ClaimedRow) -> Turn:
    """A row in the terms of the core. Raises `codec.UndecodableError`."""
    stood = codec.SHOWN.load(row.stood) if row.stood else ()
    chat = ChatRef(row.platform, ChatId(row.chat))
    return Turn(
        id=row.id,
        chat=chat,
        event=codec.load_event(row.kind, row.event),
        urgent=row.urgent,
        followed=row.followed,
        settings=chat_settings.read(row.settings, chat),
        attempt=row.attempt,
        partial=row.partial,
        shown=codec.SHOWN.load(row.shown),
        progress=row.progress,
        stopped=row.stopped,
        stood=stood[0] if stood else None,
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


# `= TRUE`, not the bare column: else SQLite does not look it up in the index on (urgent, id).
_URGENT = sa.text("urgent.state = 'waiting' AND urgent.urgent = TRUE")


def _ready(dialect: str) -> sa.TextClause:
    return sa.text(
        f"""lane.state = 'waiting' AND lane.urgent = FALSE AND NOT EXISTS (
        SELECT 1 FROM turns AS other {lane_index(dialect)}
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
        f"""EXISTS (SELECT 1 FROM turns AS behind {lane_index(dialect)}
        WHERE behind.platform = CAST(turns.platform AS TEXT)
        AND behind.chat = CAST(turns.chat AS TEXT) AND behind.id > turns.id
        AND behind.state IN ('waiting', 'running') AND NOT behind.urgent)""",
        sa.Boolean(),
    )
