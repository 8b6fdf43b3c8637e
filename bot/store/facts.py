"""What servers have told about models: the port `Facts`."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.facts import LIFE, MOST, Fact, Facts
from bot.store.columns import utc_now
from bot.store.connection import Connection
from bot.store.database import Database, Insert, insert_for
from bot.store.schema import model_facts as table

_KEY = ("address", "model", "name")


class FactTable(Facts):
    """A row for each fact; what is too old, or too much, goes with the next writing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> Sequence[Fact]:
        return await self._database.read(young)

    async def put(self, facts: Sequence[Fact]) -> None:
        # In an order that two writers share: else each could wait for a row of the other.
        rows = [
            {"address": fact.address, "model": fact.model, "name": fact.name, "value": fact.value}
            for fact in sorted(facts, key=lambda fact: (fact.address, fact.model, fact.name))
        ]
        noting = _noting(self._database.dialect)
        newest = sa.select(table.c.learnt_at).order_by(table.c.learnt_at.desc())
        last = newest.offset(MOST - 1).limit(1).scalar_subquery()
        over = sa.or_(
            table.c.value == "",
            table.c.learnt_at < utc_now(-LIFE),
            table.c.learnt_at < last,
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
        .order_by(table.c.learnt_at.desc(), *(table.c[name] for name in _KEY))
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


def _noting(dialect: str) -> Insert:
    new = insert_for(dialect, table).values(learnt_at=utc_now())
    return new.on_conflict_do_update(
        index_elements=list(_KEY),
        set_={"value": new.excluded.value, "learnt_at": new.excluded.learnt_at},
    )
