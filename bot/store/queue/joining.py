"""Several messages answered together: the first of them leads, the others end with it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache

import sqlalchemy as sa

from bot.core.queue import Turn, TurnState
from bot.core.types import IncomingMessage, MessageRef
from bot.store import codec
from bot.store.columns import utc_now
from bot.store.drivers.connection import Connection, exists
from bot.store.privacy import SCRUBBED
from bot.store.queue import claims, lanes
from bot.store.schema import ACTIVE_IN_LANE, JOINED, RUNNING, WAITING_IN_LANE, turns


async def following(connection: Connection, turn_id: int) -> Sequence[Turn]:
    """The messages that wait in the chat of a turn, up to the first other event.

    Nothing when a later message is over already: then this turn was given up and revived, and
    answers its own message only.
    """
    here = sa.select(turns.c.platform, turns.c.chat).where(turns.c.id == turn_id)
    lead = (await connection.execute(here)).one_or_none()
    if lead is None or await _is_passed(connection, turn_id, lead.platform, lead.chat):
        return []
    query = (
        sa.select(*claims.CLAIMED)
        .where(
            turns.c.platform == lead.platform,
            turns.c.chat == lead.chat,
            sa.text(ACTIVE_IN_LANE),
            turns.c.id > turn_id,
        )
        .order_by(turns.c.id)
        .limit(lanes.MANY)
    )
    found: list[Turn] = []
    for row in (await connection.execute(query)).all():
        try:
            turn = claims.turn_of(claims.ClaimedRow(*row))
        except codec.UndecodableError:
            break  # it is found out, and buried, when its own turn comes
        if not isinstance(turn.event, IncomingMessage):
            break
        found.append(turn)
    return found


async def _is_passed(connection: Connection, turn_id: int, platform: str, chat: str) -> bool:
    return await exists(
        connection,
        turns.c.platform == platform,
        turns.c.chat == chat,
        turns.c.id > turn_id,
        turns.c.message != "",
        sa.not_(turns.c.urgent),
        turns.c.finished_at.is_not(None),
        sa.not_(turns.c.withdrawn),
    )


async def join(
    connection: Connection,
    turn_id: int,
    owner: str,
    others: Sequence[int],
    shown: Sequence[MessageRef],
) -> Collection[int]:
    """Let others join a turn that `owner` runs; returns those that still waited.

    The messages `shown` in the chat for all of them belong to that turn from now on.
    """
    lead = turns.alias("this")
    runs = sa.exists().where(
        lead.c.id == turn_id, lead.c.state == TurnState.RUNNING.value, lead.c.owner == owner
    )
    statement = (
        sa.update(turns)
        .where(turns.c.id.in_(others), sa.text(WAITING_IN_LANE), runs)
        .values(state=TurnState.JOINED.value, lead=turn_id, shown=codec.SHOWN.dump(()))
        .returning(turns.c.id)
    )
    joined = set((await connection.execute(statement)).scalars())
    stands = (
        sa.update(turns)
        .where(turns.c.id == turn_id, sa.text(RUNNING), turns.c.owner == owner)
        .values(shown=codec.SHOWN.dump(tuple(shown)))
    )
    await connection.execute(stands)
    return joined


async def end(connection: Connection, turn_id: int, state: TurnState, *, forgotten: bool) -> None:
    """End the turns that have joined a turn, or let them wait again if it was not answered.

    Those of a person who is `forgotten` are emptied.
    """
    await connection.execute(_ending(state, forgotten), {"leader": turn_id})


@cache
def _ending(state: TurnState, forgotten: bool) -> sa.Update:
    values: dict[str, object] = {"state": TurnState.WAITING.value, "lead": None}
    if state is TurnState.DONE:
        values = {"state": state.value, "finished_at": utc_now()}
        if forgotten:
            values |= SCRUBBED
    led = turns.c.lead == sa.bindparam("leader")
    return sa.update(turns).where(led, sa.text(JOINED)).values(values)


async def part(connection: Connection) -> None:
    """Let turns wait again that have joined a turn which does not run any more."""
    lead = turns.alias("this")
    runs = sa.exists().where(lead.c.id == turns.c.lead, lead.c.state == TurnState.RUNNING.value)
    statement = (
        sa.update(turns)
        .where(sa.text("turns.state = 'joined'"), ~runs)
        .values(state=TurnState.WAITING.value, lead=None)
    )
    await connection.execute(statement)
