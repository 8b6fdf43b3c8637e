"""What ended last: a process that died just then may not have taken its sign of work away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from bot.core.types import MessageRef
from bot.store import codec
from bot.store.drivers.connection import Connection
from bot.store.schema import ENDED, turns

AT_ONCE = 100
LATELY = timedelta(seconds=10)
"""How long before the last end of all."""


async def last(connection: Connection, platform: str) -> Sequence[MessageRef]:
    """The bot's newest message where the last turns ended, and nothing runs by now."""
    other = turns.alias("other")
    goes_on = sa.exists().where(
        other.c.platform == turns.c.platform,
        other.c.chat == turns.c.chat,
        sa.text("other.state = 'running' AND NOT other.urgent"),  # as in its index
    )
    # Of all platforms: SQLite would look up by the platform, and sort, all that it ever had.
    query = (
        sa.select(turns.c.platform, turns.c.stood, turns.c.finished_at, goes_on.label("goes_on"))
        .where(sa.text(ENDED))
        .order_by(turns.c.finished_at.desc())
        .limit(AT_ONCE)
    )
    rows = (await connection.execute(query)).all()
    lately = [row for row in rows if row.finished_at >= rows[0].finished_at - LATELY]
    ended = [row.stood for row in lately if row.platform == platform and not row.goes_on]
    return [ref for stood in ended if stood for ref in codec.SHOWN.load(stood)]
