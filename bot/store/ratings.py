"""What people thought of answers: the port `Ratings`."""

from __future__ import annotations

import sqlalchemy as sa

from bot.core.stores import Rating, Ratings
from bot.store.belonging import chat_columns
from bot.store.columns import utc_now
from bot.store.database import Table, upsert
from bot.store.drivers.connection import Connection
from bot.store.schema import ratings


class RatingTable(Table, Ratings):
    """A row for each answer and person."""

    async def rate(self, rating: Rating) -> None:
        said = {"model": rating.model, "good": rating.good, "created_at": utc_now()}
        values = {
            **chat_columns(rating.chat),
            "turn_id": rating.turn_id,
            "user_id": rating.user,
            **said,
        }
        await self._database.change(upsert(self._database.dialect, ratings, values, *said))


async def count(connection: Connection) -> tuple[int, int]:
    """How many answers were liked, and how many were not."""
    query = sa.select(ratings.c.good, sa.func.count()).group_by(ratings.c.good)
    found: dict[bool, int] = {row[0]: row[1] for row in await connection.execute(query)}
    return found.get(True, 0), found.get(False, 0)
