"""What servers have told about models: the port `Facts`."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.facts import LIFE, MOST, Fact, Facts
from bot.store.columns import utc_now
from bot.store.database import Table, upsert
from bot.store.drivers.connection import Connection
from bot.store.schema import model_facts as table


class FactTable(Table, Facts):
    """A row for each fact; what is too old, or too much, goes with the next writing."""

    async def all(self) -> Sequence[Fact]:
        return await self._database.read(young)

    async def put(self, facts: Sequence[Fact]) -> None:
        # In an order that two writers share: else each could wait for a row of the other.
        rows = [
            {"address": fact.address, "model": fact.model, "name": fact.name, "value": fact.value}
            for fact in sorted(facts, key=lambda fact: (fact.address, fact.model, fact.name))
        ]
        now = {"learnt_at": utc_now()}
        noting = upsert(self._database.dialect, table, now, "value", "learnt_at")
        newest = sa.select(table.c.learnt_at).order_by(table.c.learnt_at.desc())
        last = newest.offset(MOST - 1).limit(1).scalar_subquery()
        over = sa.or_(
            table.c.value == "", table.c.learnt_at < utc_now(-LIFE), table.c.learnt_at < last
        )

        async def job(connection: Connection) -> None:
            await connection.execute(noting, rows)
            await connection.execute(sa.delete(table).where(over))

        await self._database.write(job, patient=True)


async def young(connection: Connection) -> Sequence[Fact]:
    """The facts that are not too old, newest first."""
    query = (
        sa.select(table, utc_now().label("now"))
        .where(table.c.learnt_at >= utc_now(-LIFE))
        .order_by(table.c.learnt_at.desc(), *table.primary_key.columns)
        .limit(MOST)
    )
    return [
        Fact(
            address=row.address,
            model=row.model,
            name=row.name,
            value=row.value,
            age=max(0.0, (row.now - row.learnt_at).total_seconds()),
        )
        for row in (await connection.execute(query)).all()
    ]
