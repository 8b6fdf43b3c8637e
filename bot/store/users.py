"""Who has spoken to the bot: the port `Users`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import Any

import sqlalchemy as sa

from bot.core.stores import Acquaintance, Users
from bot.core.types import Person, Sender, UserId
from bot.store.belonging import of_person
from bot.store.columns import utc_now
from bot.store.database import Database, Insert, upsert
from bot.store.drivers.batches import Batches
from bot.store.drivers.connection import Connection
from bot.store.schema import users


@cache
def _noting(dialect: str) -> Insert:
    now = {"first_seen": utc_now(), "last_seen": utc_now()}
    return upsert(dialect, users, now, "name", "language", "last_seen")


async def _note(connection: Connection, seen: Sequence[tuple[str, Sender]]) -> Sequence[None]:
    rows = [
        {"platform": platform, "id": sender.id, "name": sender.name, "language": sender.language}
        # In an order that two writers share: else each could wait for a row of the other.
        for platform, sender in sorted(seen, key=lambda one: (one[0], one[1].id))
    ]
    await connection.execute(_noting(connection.dialect.name), rows)
    return [None for _ in seen]


class UserTable(Users):
    """The people in the table of that name; who is seen in the same moment is noted together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen = Batches(partial(database.submit_write, patient=True), _note)

    async def seen(self, platform: str, sender: Sender) -> None:
        await self._seen.add((platform, sender))

    async def recent(self, *, offset: int = 0, limit: int = 10) -> Sequence[Acquaintance]:
        query = (
            sa.select(users)
            .order_by(users.c.last_seen.desc(), users.c.platform, users.c.id)
            .offset(offset)
            .limit(limit)
        )
        return [_acquaintance(row) for row in await self._database.rows(query)]

    async def count(self) -> int:
        return await self._database.scalar(sa.select(sa.func.count()).select_from(users)) or 0

    async def find(self, person: Person) -> Acquaintance | None:
        row = await self._database.row(sa.select(users).where(*of_person(users, person)))
        return None if row is None else _acquaintance(row)

    async def called(self, platform: str, name: str) -> Sequence[Acquaintance]:
        names = sa.select(users.c.id, users.c.name).where(users.c.platform == platform)
        wanted = name.casefold()

        async def job(connection: Connection) -> Sequence[Acquaintance]:
            # Compared here: SQLite's lower() knows no letters but those of ASCII.
            rows = (await connection.execute(names)).all()
            ids = [row.id for row in rows if row.name.casefold() == wanted]
            query = sa.select(users).where(users.c.platform == platform, users.c.id.in_(ids))
            return [_acquaintance(row) for row in (await connection.execute(query)).all()]

        return await self._database.read(job)


def _acquaintance(row: sa.Row[*tuple[Any, ...]]) -> Acquaintance:
    return Acquaintance(
        person=Person(row.platform, UserId(row.id)),
        name=row.name,
        language=row.language,
        last_seen=row.last_seen,
    )
