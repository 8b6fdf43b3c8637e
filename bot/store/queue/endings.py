"""What ended last: a process that died just then may not have taken its sign of work away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from bot.core.queue import TurnState
from bot.core.types import MessageRef
from bot.store import codec
from bot.store.drivers.connection import Connection
from bot.store.schema import ENDED, turns

AT_ONCE = 20
LATELY = timedelta(seconds=10)
"""How long before the last end of all."""


async def last(connection: Connection, platform: str) -> Sequence[MessageRef]:
    """The bot's newest message where the last turns ended, and nothing runs by now."""
    other = turns.alias("other")
    goes_on = sa.exists().where(
        other.c.platform == turns.c.platform,
        other.c.chat == turns.c.chat,
        other.c.state == TurnState.RUNNING.value,
    )
    query = (
        sa.select(turns.c.stood, turns.c.finished_at)
        .where(sa.text(ENDED), turns.c.platform == platform, turns.c.stood != "", ~goes_on)
        .order_by(turns.c.finished_at.desc())
        .limit(AT_ONCE)
    )
    rows = (await connection.execute(query)).all()
    lately = [row for row in rows if row.finished_at >= rows[0].finished_at - LATELY]
    return [ref for row in lately for ref in codec.SHOWN.load(row.stood)]
