"""Sums of what was used, kept up with every entry: reading them never grows with the history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

import sqlalchemy as sa

from bot.core.limits.calendar import Calendar, Period
from bot.core.limits.ledger import Total
from bot.core.models import UsageEntry, UsageKind
from bot.core.types import Person, UserId
from bot.store.belonging import of_person, person_columns
from bot.store.database import Insert, insert_for
from bot.store.drivers.connection import Connection
from bot.store.schema import usage_totals as table

EVERYBODY = Person("", UserId(""))
"""Under whose name the rows stand that sum up everybody."""

_LOCK = 0x6C696D69  # any number, the same in every replica
_SUMS = ("requests", "prompt_tokens", "completion_tokens", "images", "seconds", "cost", "unpriced")


async def one_at_a_time(connection: Connection) -> None:
    """Let no other process look at the sums to decide something, or add to them, until the commit.

    Two that add up in one commit each what several turns used would wait for each other.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


async def add(
    connection: Connection, person: Person, entries: Sequence[UsageEntry], calendar: Calendar
) -> None:
    """Add entries to the sums of their person and of everybody: of today, the month, all time."""
    totals = _summed(entries)
    rows = [
        {**person_columns(who), "period": key, **_row(total)}
        for who in (EVERYBODY, person)
        for key in sorted(calendar.key(period) for period in Period)
        for total in totals
    ]
    await one_at_a_time(connection)
    await connection.execute(_adding(connection.dialect.name), rows)


@cache
def _adding(dialect: str) -> Insert:
    new = insert_for(dialect, table)
    return new.on_conflict_do_update(
        index_elements=["platform", "user_id", "period", "kind", "model"],
        set_={name: table.c[name] + new.excluded[name] for name in _SUMS},
    )


def _summed(entries: Iterable[UsageEntry]) -> list[Total]:
    """One sum per kind and model, in an order that two writers share."""
    sums: dict[tuple[UsageKind, str], Total] = {}
    for entry in entries:
        key = (entry.kind, entry.model)
        before = sums.get(key) or Total(kind=entry.kind, model=entry.model)
        sums[key] = replace(
            before,
            requests=before.requests + 1,
            prompt_tokens=before.prompt_tokens + entry.prompt_tokens,
            completion_tokens=before.completion_tokens + entry.completion_tokens,
            images=before.images + entry.images,
            seconds=before.seconds + entry.seconds,
            cost=before.cost + (entry.cost or 0),
            unpriced=before.unpriced + (entry.cost is None),
        )
    return [sums[key] for key in sorted(sums)]


def _row(total: Total) -> dict[str, object]:
    return {"kind": total.kind.value, "model": total.model} | {
        name: getattr(total, name) for name in _SUMS
    }


def read(row: sa.Row[tuple[object, ...]]) -> Total:
    """The sum that a row keeps."""
    values = row._mapping
    return Total(
        kind=UsageKind(values["kind"]),
        model=values["model"],
        **{name: values[name] for name in _SUMS},
    )


async def forget_before_this_month(
    connection: Connection, person: Person, calendar: Calendar
) -> None:
    """Delete somebody's own sums, except those that limits still need; everybody's stay."""
    await one_at_a_time(connection)
    month = calendar.key(Period.MONTH)
    theirs = of_person(table, person)
    await connection.execute(sa.delete(table).where(*theirs, ~table.c.period.startswith(month)))
    columns = [column for column in table.c if column is not table.c.period]
    this_month = sa.select(sa.literal(calendar.key(Period.ALL)), *columns).where(
        *theirs, table.c.period == month
    )
    await connection.execute(sa.insert(table).from_select([table.c.period, *columns], this_month))
