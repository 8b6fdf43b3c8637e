"""Chats that are still to be looked through for messages that a turn has posted unknown to all."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.queue import Search
from bot.store import codec
from bot.store.columns import utc_now
from bot.store.drivers.connection import Connection
from bot.store.schema import UNSWEPT, turns

log = logging.getLogger(__name__)

LIFE = 2 * 86_400.0
"""Seconds after which a bot cannot delete a message any more (Bot API, `deleteMessage`)."""
AT_ONCE = 100


def change(turn_id: int, search: Search | None) -> sa.Update:
    """Put a search off; None: it is done."""
    unswept = "" if search is None else codec.SEARCH.dump(search)
    return sa.update(turns).where(turns.c.id == turn_id).values(unswept=unswept)


async def put_off(connection: Connection) -> Sequence[tuple[int, Search]]:
    """The oldest that can still be done, of turns that are over: any other looks by itself."""
    query = (
        sa.select(turns.c.id, turns.c.unswept)
        .where(sa.text(UNSWEPT), turns.c.finished_at > utc_now(-LIFE))
        .order_by(turns.c.id)
        .limit(AT_ONCE)
    )
    found: list[tuple[int, Search]] = []
    for row in (await connection.execute(query)).all():
        try:
            found.append((row.id, codec.SEARCH.load(row.unswept)))
        except codec.UndecodableError:
            log.warning("search unreadable", extra={"turn": row.id})
    return found
