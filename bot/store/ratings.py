"""What people thought of answers: the port `Ratings`."""

from __future__ import annotations

import sqlalchemy as sa

from bot.core.stores import Rating
from bot.store.columns import utc_now
from bot.store.connection import Connection
from bot.store.database import Database, insert
from bot.store.schema import ratings

_KEY = ["platform", "chat", "turn_id", "user_id"]


class RatingTable:
    """`Ratings`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rate(self, rating: Rating) -> None:
        """Keep what somebody thinks of an answer, in place of what they thought before."""

        async def job(connection: Connection) -> None:
            new = insert(connection, ratings).values(
                platform=rating.chat.platform,
                chat=rating.chat.id,
                turn_id=rating.turn_id,
                user_id=rating.user,
                model=rating.model,
                good=rating.good,
                created_at=utc_now(),
            )
            changed = {name: new.excluded[name] for name in ("model", "good", "created_at")}
            await connection.execute(new.on_conflict_do_update(index_elements=_KEY, set_=changed))

        await self._database.write(job)


async def count(connection: Connection) -> tuple[int, int]:
    """How many answers were liked, and how many were not."""
    query = sa.select(ratings.c.good, sa.func.count()).group_by(ratings.c.good)
    found: dict[bool, int] = {row[0]: row[1] for row in await connection.execute(query)}
    return found.get(True, 0), found.get(False, 0)
