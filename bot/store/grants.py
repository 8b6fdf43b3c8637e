"""Whom admins have let in or shut out by hand: the port `Grants`."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from bot.store.columns import utc_now
from bot.store.connection import Connection
from bot.store.database import Database, insert
from bot.store.schema import grants


class GrantTable:
    """`Grants`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Mapping[str, bool]:
        """Everybody, and whether they are let in."""

        async def job(connection: Connection) -> Mapping[str, bool]:
            query = sa.select(grants.c.subject, grants.c.allowed)
            return {row.subject: row.allowed for row in (await connection.execute(query)).all()}

        return await self._database.read(job)

    async def put(self, subject: str, *, allowed: bool, by: str) -> None:
        """Let somebody in, or shut them out."""

        async def job(connection: Connection) -> None:
            new = insert(connection, grants).values(
                subject=subject, allowed=allowed, granted_by=by, updated_at=utc_now()
            )
            decided = new.on_conflict_do_update(
                index_elements=["subject"],
                set_={name: new.excluded[name] for name in ("allowed", "granted_by", "updated_at")},
            )
            await connection.execute(decided)

        await self._database.write(job)
