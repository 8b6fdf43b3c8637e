"""Whom admins have let in or shut out by hand: the port `Grants`."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from bot.core.access import Grants
from bot.store.columns import utc_now
from bot.store.database import Table, upsert
from bot.store.schema import grants


class GrantTable(Table, Grants):
    """A row for each decision; the last one about somebody holds."""

    async def all(self) -> Mapping[str, bool]:
        rows = await self._database.rows(sa.select(grants.c.subject, grants.c.allowed))
        return {row.subject: row.allowed for row in rows}

    async def put(self, subject: str, *, allowed: bool, by: str) -> None:
        decision = {"allowed": allowed, "granted_by": by, "updated_at": utc_now()}
        values = {"subject": subject, **decision}
        await self._database.change(upsert(self._database.dialect, grants, values, *decision))
