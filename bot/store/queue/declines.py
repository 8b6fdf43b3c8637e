"""Messages that were one too many: none is answered, and of many in a row one line tells.

Each has a turn of its own. The first of a row is to tell its sender. Those that follow are over at
once, as long as nothing of this person was taken in since and something that came before is not yet
answered: the first is their `lead`, and its line speaks for them until the last of them is deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import sqlalchemy as sa

from bot.core.queue import Accepted, TurnState
from bot.core.types import ChatRef, IncomingMessage, MessageRef
from bot.store import codec
from bot.store.belonging import chat_columns, in_chat
from bot.store.columns import utc_now
from bot.store.drivers.connection import Connection, exists
from bot.store.queue import arrivals, news
from bot.store.queue.arrivals import Offer
from bot.store.queue.lanes import lane_index
from bot.store.schema import ACTIVE_IN_LANE, turns


async def decline(connection: Connection, message: IncomingMessage, owner: str) -> Accepted:
    """Do what `TurnQueue.decline` says."""
    silent = replace(message, text="", attachments=(), reply_to=None, forwards=(), lines=())
    told = await _told(connection, message)
    new = await arrivals.add(connection, replace(silent, declined=True), urgent=True)
    if new is None:
        [situation] = await arrivals.situations(connection, [Offer(message, urgent=True)])
        assert situation.known is not None  # a key that cannot be added is there
        return Accepted(turn_id=situation.known, fresh=False, ahead=0)
    if told is None:
        await news.tell(connection, owner)
        return Accepted(turn_id=new, fresh=True, ahead=0)
    over = {"state": TurnState.DONE.value, "lead": told, "finished_at": utc_now()}
    await connection.execute(sa.update(turns).where(turns.c.id == new).values(over))
    return Accepted(turn_id=new, fresh=False, ahead=0)


async def _told(connection: Connection, message: IncomingMessage) -> int | None:
    """The turn whose line stands, or will stand, and tells the sender of this message, too."""
    sender = {**chat_columns(message.chat), "user": message.sender.id}
    found = await connection.execute(_telling(connection.dialect.name), sender)
    told: int | None = found.scalar_one_or_none()
    return told


@cache
def _telling(dialect: str) -> sa.TextClause:
    # What is just being taken back must not be relied on: PostgreSQL looks again once it has it.
    # Shared, since others rely on the same lines in the same moment, in any order.
    locked = "FOR SHARE OF line" if dialect == "postgresql" else ""
    return sa.text(
        f"""WITH since AS (
            SELECT coalesce(max(CASE WHEN user_id = :user THEN id END), min(id), 0) AS id
            FROM turns {lane_index(dialect)}
            WHERE platform = :platform AND chat = :chat AND {ACTIVE_IN_LANE})
        SELECT line.id FROM turns AS line, since
        WHERE state <> 'dead' AND NOT stopped AND line.id > since.id AND line.id = (
            SELECT coalesce(lead, turns.id) FROM turns
            WHERE platform = :platform AND chat = :chat AND user_id = :user
            AND kind = '{codec.DECLINED}' AND turns.id > since.id
            ORDER BY turns.id DESC LIMIT 1)
        {locked}"""
    )


async def withdraw(
    connection: Connection, chat: ChatRef, about: Sequence[sa.Row[*tuple[Any, ...]]]
) -> tuple[Sequence[int], Sequence[MessageRef]]:
    """Messages of these turns were deleted: they need no line any more.

    Returns the turns that are over now without having told anybody, and the lines that speak for
    none. A turn that runs may just be posting its line: it then looks whether somebody needs it.
    """
    deleted = sa.update(turns).where(turns.c.id.in_([row.id for row in about]))
    await connection.execute(deleted.values(withdrawn=True))
    untold, lines = list[int](), list[MessageRef]()
    for lead in sorted({row.lead or row.id for row in about}):
        if await is_needed(connection, chat, lead):
            continue
        query = sa.select(turns.c.state, turns.c.shown).where(turns.c.id == lead)
        row = (await connection.execute(query)).one_or_none()
        if row is None:  # it was over before this message came, and is purged
            continue
        lines += codec.SHOWN.load(row.shown)
        values: dict[str, object] = {"stopped": True}  # nobody else may rely on it
        if row.state == TurnState.WAITING.value:
            untold.append(lead)
            values |= {"state": TurnState.DONE.value, "finished_at": utc_now()}
        await connection.execute(sa.update(turns).where(turns.c.id == lead).values(values))
    return untold, lines


async def is_needed(connection: Connection, chat: ChatRef, turn_id: int) -> bool:
    """Whether a message stands of which the line of this turn tells."""
    return await exists(
        connection,
        *in_chat(turns, chat),
        turns.c.id >= turn_id,
        turns.c.kind == codec.DECLINED,
        sa.func.coalesce(turns.c.lead, turns.c.id) == turn_id,
        ~turns.c.withdrawn,
    )
