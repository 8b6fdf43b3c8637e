"""Whom admins have let in or shut out by hand: the port `Grants`."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from bot.core.access import Grants
from bot.store.columns import utc_now
from bot.store.database import Database, insert_for
from bot.store.schema import grants


class GrantTable(Grants):
    """A row for each decision; the last one about somebody holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Mapping[str, bool]:
        rows = await self._database.rows(sa.select(grants.c.subject, grants.c.allowed))
        return {row.subject: row.allowed for row in rows}

    async def put(self, subject: str, *, allowed: bool, by: str) -> None:
        new = insert_for(self._database.dialect, grants).values(
            subject=subject, allowed=allowed, granted_by=by, updated_at=utc_now()
        )
        decided = new.on_conflict_do_update(
            index_elements=["subject"],
            set_={name: new.excluded[name] for name in ("allowed", "granted_by", "updated_at")},
        )
        await self._database.change(decided)
