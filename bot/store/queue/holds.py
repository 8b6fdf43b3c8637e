"""Which process holds a running turn and how long, and how it gets free if that process is lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.sql.dml import ReturningUpdate

from bot.core.queue import TurnState
from bot.core.types import ChatRef, MessageRef
from bot.store import codec, ledger
from bot.store.belonging import chat_of
from bot.store.columns import utc_now
from bot.store.drivers.connection import Connection
from bot.store.json_rows import as_json, rows_of
from bot.store.queue import joining
from bot.store.queue.presence import ABSENT
from bot.store.schema import RUNNING, turns

GIVEN_BACK: dict[str, object] = {
    "state": TurnState.WAITING.value,
    "owner": None,
    "started_at": None,
    "lease_until": None,
}
"""What is written into a turn that waits again."""
LEFT = sa.or_(turns.c.lease_until < utc_now(), ABSENT)
"""The process that ran the turn is gone, or has given no sign of life for longer than its lease."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What a process must name to change a running turn: one that has lost it cannot."""

    owner: str
    attempt: int


NOBODY = Hold("", 0)

Kept: TypeAlias = Mapping[int, ChatRef | None]
"""The turns that are still held; with each its chat if a person has stopped it meanwhile, since the
notice of that may have got lost, or have come before the turn was claimed."""
_KEPT = (turns.c.id, turns.c.platform, turns.c.chat, turns.c.stopped)


async def change(
    connection: Connection,
    turn_id: int,
    hold: Hold,
    values: Mapping[str, object],
    clocks: Mapping[str, float],
) -> sa.Row[*tuple[Any, ...]] | None:
    """Change a running turn if it is held so; else return None.

    The row has platform, chat, user_id, forgotten and withdrawn. `clocks` are columns that are set
    to so many seconds from now, by the database's clock.
    """
    held = {"this": turn_id, "holder": hold.owner, "tried": hold.attempt}
    wanted = {f"new_{name}": value for name, value in values.items()}
    statement = _changing(frozenset(values), frozenset(clocks.items()))
    return (await connection.execute(statement, {**held, **wanted})).one_or_none()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far the answer to a turn is, and which messages it stands in."""

    turn_id: int
    hold: Hold
    partial: str
    shown: tuple[MessageRef, ...]


async def checkpoint(
    connection: Connection, checkpoints: Sequence[Checkpoint], *, lease: float
) -> Sequence[Kept]:
    """Write checkpoints down, the last of each turn: for each the turns that are held so still."""
    rows: dict[int, dict[str, str | int]] = {
        one.turn_id: {
            "id": one.turn_id,
            "owner": one.hold.owner,
            "attempt": one.hold.attempt,
            "partial": one.partial,
            "shown": codec.SHOWN.dump(one.shown),
        }
        for one in checkpoints
    }
    statement = _checkpointing(connection.dialect.name, lease)
    result = await connection.execute(statement, {"rows": as_json(list(rows.values()))})
    kept = _kept(result.all())
    return [kept] * len(checkpoints)


_ROWS = {"id": "bigint", "owner": "text", "attempt": "integer", "partial": "text", "shown": "text"}


@cache
def _checkpointing(dialect: str, lease: float) -> ReturningUpdate[*tuple[Any, ...]]:
    new = rows_of(dialect, "rows", _ROWS)
    return (
        sa.update(turns)
        .where(
            turns.c.id == new.c.id,
            turns.c.state == TurnState.RUNNING.value,
            turns.c.owner == new.c.owner,
            turns.c.attempt == new.c.attempt,
        )
        .values(partial=new.c.partial, shown=new.c.shown, lease_until=utc_now(lease))
        .returning(*_KEPT)
    )


@cache
def _changing(
    names: frozenset[str], clocks: frozenset[tuple[str, float]]
) -> ReturningUpdate[*tuple[Any, ...]]:
    new: dict[str, object] = {name: sa.bindparam(f"new_{name}") for name in names}
    return (
        sa.update(turns)
        .where(
            turns.c.id == sa.bindparam("this"),
            turns.c.state == TurnState.RUNNING.value,
            turns.c.owner == sa.bindparam("holder"),
            turns.c.attempt == sa.bindparam("tried"),
        )
        .values({**new, **{name: utc_now(seconds) for name, seconds in clocks}})
        .returning(
            turns.c.platform, turns.c.chat, turns.c.user_id, turns.c.forgotten, turns.c.withdrawn
        )
    )


async def renew(connection: Connection, held: Mapping[int, Hold], lease: float) -> Kept:
    """Renew the leases of turns; returns those that are still held."""
    owners = {hold.owner for hold in held.values()}
    statement = (
        sa.update(turns)
        .where(sa.text(RUNNING))
        .where(turns.c.id.in_(list(held)), turns.c.owner.in_(owners))
        .values(lease_until=utc_now(lease))
        .returning(*_KEPT)
    )
    return _kept((await connection.execute(statement)).all())


def _kept(rows: Sequence[sa.Row[*tuple[Any, ...]]]) -> Kept:
    return {row.id: chat_of(row) if row.stopped else None for row in rows}


async def left(connection: Connection) -> dict[int, datetime]:
    """The running turns whose processes seem to be gone, and the ends of their leases."""
    query = sa.select(turns.c.id, turns.c.lease_until).where(sa.text(RUNNING), LEFT)
    return {row.id: row.lease_until for row in (await connection.execute(query)).all()}


async def take_back(
    connection: Connection, lost: sa.ColumnElement[bool], held: Collection[int]
) -> int:
    """Let the running turns that are `lost`, but not `held` here, wait again; returns how many."""
    statement = (
        sa.update(turns)
        .where(sa.text(RUNNING), lost)
        .where(turns.c.id.not_in(list(held)))
        .values({**GIVEN_BACK, "attempt": turns.c.attempt + 1})
    )
    changed = (await connection.execute(statement)).rowcount
    if changed:
        await joining.part(connection)
    await ledger.release_lost(connection)
    return changed
