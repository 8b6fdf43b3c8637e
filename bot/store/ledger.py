"""What was used and what is set aside: the port `Ledger`."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa

from bot.core.limits.calendar import Period, key_of
from bot.core.limits.ledger import (
    DayTotal,
    Ledger,
    Refused,
    Reserved,
    Spender,
    Standing,
    Total,
    Wish,
)
from bot.core.limits.quota import NAMES, Amount, Ceiling, Limits, Measure, name_of
from bot.core.types import Person, UserId
from bot.store import totals
from bot.store.belonging import of_person, person_columns
from bot.store.columns import Words, utc_now
from bot.store.database import DatedTable, upsert
from bot.store.drivers.connection import Connection
from bot.store.schema import person_limits, quota_notes, reservations, turns, usage_totals, users

_SET_ASIDE = "reserved"
"""Stands for a period where it is about what is set aside."""

_SUM = {
    "tokens": usage_totals.c.prompt_tokens + usage_totals.c.completion_tokens,
    "cost": usage_totals.c.cost,
    "images": usage_totals.c.images,
    "seconds": usage_totals.c.seconds,
}


def _sums(columns: Mapping[str, sa.ColumnElement[object]]) -> list[sa.Label[object]]:
    return [
        sa.func.coalesce(sa.func.sum(column), 0).label(name) for name, column in columns.items()
    ]


_ALIVE = sa.or_(reservations.c.expires_at.is_(None), reservations.c.expires_at > utc_now())


def _theirs(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.c.platform == sa.bindparam("platform", type_=Words()),
        table.c.user_id == sa.bindparam("user_id", type_=Words()),
    )


def _used(shared: bool, *whose: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    """What somebody, or everybody, has used in the running day and month."""
    now = [sa.bindparam(name, type_=Words()) for name in ("day", "month")]
    period = usage_totals.c.period
    return (
        sa.select(sa.literal(shared).label("shared"), period.label("period"), *_sums(_SUM))
        .where(*whose, sa.or_(*(period == key for key in now)))
        .group_by(period)
    )


def _reserved(shared: bool, *whose: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    """What is set aside for somebody, or for everybody."""
    columns = {name: reservations.c[name] for name in _SUM}
    what = (sa.literal(shared).label("shared"), sa.literal(_SET_ASIDE).label("period"))
    return sa.select(*what, *_sums(columns)).where(_ALIVE, *whose)


# One statement, made once: with SQLite each is a way to another thread and back.
STANDINGS = sa.union_all(
    _used(False, *_theirs(usage_totals)),
    _reserved(False, *_theirs(reservations)),
    _used(True, usage_totals.c.platform == "", usage_totals.c.user_id == ""),
    _reserved(True),
)


class LedgerTable(DatedTable, Ledger):
    """What was used in sums, and a row for each thing that is set aside."""

    async def reserve(self, wish: Wish) -> Reserved | Refused:
        async def job(connection: Connection) -> Reserved | Refused:
            await totals.one_at_a_time(connection)
            standings = await self._standings(connection, wish.person, wish.ceilings)
            for standing in standings:
                least = wish.least.of(standing.ceiling.measure)
                if standing.left < least:
                    return Refused(standing=standing, least=least)
            amount = _granted(wish, standings)
            row = await connection.execute(
                sa.insert(reservations)
                .values(
                    turn_id=wish.turn,
                    **person_columns(wish.person),
                    **asdict(amount),
                    expires_at=None if wish.turn is not None else utc_now(wish.seconds),
                )
                .returning(reservations.c.id)
            )
            return Reserved(id=row.scalar_one(), amount=amount, standings=standings)

        return await self._database.write(job)

    async def release(self, reserved: int) -> None:
        await self._database.change(sa.delete(reservations).where(reservations.c.id == reserved))

    async def standings(self, person: Person, ceilings: Sequence[Ceiling]) -> Sequence[Standing]:
        return await self._database.read(self._standings, person, ceilings)

    async def _standings(
        self, connection: Connection, person: Person, ceilings: Sequence[Ceiling]
    ) -> Sequence[Standing]:
        keys = {period: self._calendar.key(period) for period in (Period.DAY, Period.MONTH)}
        values = {
            **person_columns(person),
            "day": keys[Period.DAY],
            "month": keys[Period.MONTH],
        }
        rows = (await connection.execute(STANDINGS, values)).mappings().all() if ceilings else ()
        amounts = {(bool(row["shared"]), row["period"]): _amount(row) for row in rows}

        def amount(ceiling: Ceiling, key: str) -> Decimal:
            return amounts.get((ceiling.shared, key), Amount()).of(ceiling.measure)

        return [
            Standing(
                ceiling=ceiling,
                used=amount(ceiling, keys[ceiling.period]),
                reserved=amount(ceiling, _SET_ASIDE),
            )
            for ceiling in ceilings
        ]

    async def first_time(self, person: Person, ceiling: Ceiling) -> bool:
        period = self._calendar.key(ceiling.period)
        values = {
            **person_columns(person),
            "name": name_of(ceiling.period, ceiling.measure),
            "period": period,
        }
        is_new = quota_notes.c.period != period
        noted = upsert(self._database.dialect, quota_notes, values, "period", where=is_new)
        return await self._database.change(noted) > 0

    async def set_limits(self, person: Person, limits: Limits) -> None:
        if not limits:
            await self._database.change(
                sa.delete(person_limits).where(*of_person(person_limits, person))
            )
            return
        values = {**person_columns(person), "limits": _dump(limits), "updated_at": utc_now()}
        new = upsert(self._database.dialect, person_limits, values, "limits", "updated_at")
        await self._database.change(new)

    async def people_with_limits(self) -> Mapping[Person, Limits]:
        query = sa.select(person_limits).order_by(person_limits.c.updated_at.desc())
        return {
            Person(row.platform, UserId(row.user_id)): _load(row.limits)
            for row in await self._database.rows(query)
        }

    async def totals(self, person: Person | None, period: Period) -> Sequence[Total]:
        query = (
            sa.select(usage_totals)
            .where(*_scope(person), usage_totals.c.period == self._calendar.key(period))
            .order_by(usage_totals.c.cost.desc(), _SUM["tokens"].desc(), usage_totals.c.model)
        )
        return [totals.read(row) for row in await self._database.rows(query)]

    async def days(self, person: Person | None, days: Collection[date]) -> Sequence[DayTotal]:
        by_key = {key_of(Period.DAY, day): day for day in days}
        query = (
            sa.select(
                usage_totals.c.period,
                usage_totals.c.model,
                *_sums({name: _SUM[name] for name in ("tokens", "cost")}),
            )
            .where(*_scope(person), usage_totals.c.period.in_(list(by_key)))
            .group_by(usage_totals.c.period, usage_totals.c.model)
            .order_by(usage_totals.c.period, usage_totals.c.model)
        )
        return [
            DayTotal(day=by_key[row.period], model=row.model, tokens=int(row.tokens), cost=row.cost)
            for row in await self._database.rows(query)
        ]

    async def spenders(self, period: Period, *, limit: int) -> Sequence[Spender]:
        key = self._calendar.key(period)
        sums = {
            **{name: _SUM[name] for name in ("tokens", "cost")},
            "requests": usage_totals.c.requests,
            "unpriced": usage_totals.c.unpriced,
        }
        who = (usage_totals.c.platform, usage_totals.c.user_id)
        summed = (
            sa.select(*who, *_sums(sums))
            .where(usage_totals.c.period == key, usage_totals.c.platform != "")
            .group_by(*who)
            .order_by(sa.desc("cost"), sa.desc("tokens"))
            .limit(limit)
            .subquery()
        )
        same = sa.and_(users.c.platform == summed.c.platform, users.c.id == summed.c.user_id)
        query = (
            sa.select(summed, users.c.name)
            .select_from(summed.outerjoin(users, same))
            .order_by(summed.c.cost.desc(), summed.c.tokens.desc())
        )
        return [
            Spender(
                person=Person(row.platform, UserId(row.user_id)),
                name=row.name or "",
                requests=int(row.requests),
                tokens=int(row.tokens),
                cost=row.cost,
                unpriced=int(row.unpriced),
            )
            for row in await self._database.rows(query)
        ]


_RELEASING = sa.delete(reservations).where(reservations.c.turn_id == sa.bindparam("turn"))


async def release_turn(connection: Connection, turn_id: int) -> None:
    """Give back what a turn had set aside: its end, or the end of its attempt, is known."""
    await connection.execute(_RELEASING, {"turn": turn_id})


async def release_lost(connection: Connection) -> None:
    """Give back what nobody uses any more: of turns that do not run, and what has expired."""
    running = sa.select(turns.c.id).where(turns.c.state == "running")
    await connection.execute(
        sa.delete(reservations).where(
            sa.or_(
                sa.and_(
                    reservations.c.turn_id.is_not(None), reservations.c.turn_id.not_in(running)
                ),
                reservations.c.expires_at < utc_now(),
            )
        )
    )


def _granted(wish: Wish, standings: Sequence[Standing]) -> Amount:
    """As much of the most that was wished as there is below every ceiling."""
    room = {measure: wish.most.of(measure) for measure in Measure}
    for standing in standings:
        measure = standing.ceiling.measure
        room[measure] = min(room[measure], max(standing.left, wish.least.of(measure)))
    return Amount(
        tokens=int(room[Measure.TOKENS]),
        cost=room[Measure.COST],
        images=int(room[Measure.IMAGES]),
        seconds=wish.most.seconds,
    )


def _amount(values: sa.RowMapping) -> Amount:
    return Amount(
        tokens=int(values["tokens"]),
        cost=values["cost"],
        images=int(values["images"]),
        seconds=float(values["seconds"]),
    )


def _scope(person: Person | None) -> tuple[sa.ColumnElement[bool], ...]:
    return of_person(usage_totals, person or totals.EVERYBODY)


def _dump(limits: Limits) -> str:
    values = {
        name_of(*limit): None if value is None else str(value) for limit, value in limits.items()
    }
    return json.dumps(values)


def _load(text: str) -> Limits:
    """The limits that `_dump` wrote; what cannot be read is left out."""
    found: dict[tuple[Period, Measure], Decimal | None] = {}
    for name, value in json.loads(text).items():
        if name in NAMES:
            try:
                found[NAMES[name]] = None if value is None else Decimal(value)
            except InvalidOperation:
                continue
    return found
