"""A message that somebody changed: what that means for the turn that it has, or had."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from bot.core.stores import Accepted, TurnState
from bot.core.types import IncomingMessage
from bot.store import arrivals, codec
from bot.store.connection import Connection
from bot.store.schema import MESSAGE, turns


async def settle(connection: Connection, edit: IncomingMessage) -> Accepted | IncomingMessage:
    """Do what can be done about an edit at once; else return the message to take in.

    While the message waits it is replaced. The newest of the chat is taken in as an edit, one that
    was never taken in as new, and an older one not at all. Raises `codec.UndecodableError`.
    """
    found = await _turn_of(connection, edit)
    if found is None:
        return replace(edit, edited=False)
    if found.state == TurnState.WAITING.value:
        known = await arrivals.add(connection, edit, urgent=False, settled=True) is None
        if not known:
            await _rewrite(connection, found, edit)
        return Accepted(turn_id=found.id, fresh=False, ahead=0)
    if await _has_newer(connection, edit, found.id):
        await arrivals.add(connection, edit, urgent=False, settled=True)
        return Accepted(turn_id=found.id, fresh=False, ahead=0)
    return edit


async def _turn_of(
    connection: Connection, message: IncomingMessage
) -> sa.Row[Any, Any, Any, Any] | None:
    """The newest turn about a message."""
    query = (
        sa.select(turns.c.id, turns.c.state, turns.c.kind, turns.c.event)
        .where(
            turns.c.platform == message.ref.chat.platform,
            turns.c.chat == message.ref.chat.id,
            turns.c.message == message.ref.id,
            sa.text(MESSAGE),
        )
        .order_by(turns.c.id.desc())
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none()


async def _has_newer(connection: Connection, message: IncomingMessage, turn_id: int) -> bool:
    """Whether somebody wrote something else in the chat after that."""
    newer = sa.exists().where(
        turns.c.platform == message.ref.chat.platform,
        turns.c.chat == message.ref.chat.id,
        turns.c.id > turn_id,
        turns.c.message.not_in(["", message.ref.id]),
        sa.not_(turns.c.urgent),
    )
    return bool((await connection.execute(sa.select(newer))).scalar_one())


async def _rewrite(
    connection: Connection, row: sa.Row[Any, Any, Any, Any], edit: IncomingMessage
) -> None:
    """Let the turn have the new words, under the key it has."""
    before = codec.load_event(row.kind, row.event)
    is_edit = isinstance(before, IncomingMessage) and before.edited
    after = replace(edit, key=before.key, edited=is_edit)
    statement = sa.update(turns).where(turns.c.id == row.id).values(event=codec.dump_event(after))
    await connection.execute(statement)
