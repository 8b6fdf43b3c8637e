"""What was used and what is set aside: sums that agree with the rows, and nothing left over."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.limits.calendar import Calendar, Period
from bot.core.limits.ledger import Refused, Reserved, Wish
from bot.core.limits.quota import Amount, Ceiling, Measure
from bot.core.models import UsageEntry, UsageKind
from bot.core.queue import Outcome
from bot.core.stores import Stores
from bot.core.types import Person, Sender, UserId
from bot.store import StorageSettings, migrate, open_store
from bot.store.database import connected
from bot.store.drivers.connection import Connection
from bot.store.ledger import STANDINGS
from bot.store.schema import reservations, usage
from tests.store.events import ANN, begun, message

ME = Person("test", ANN.id)
NUMBERS = itertools.count()
DAILY = Ceiling(period=Period.DAY, measure=Measure.TOKENS, limit=Decimal(1_000))
TOGETHER = Ceiling(period=Period.MONTH, measure=Measure.TOKENS, limit=Decimal(1_500), shared=True)


def entry(tokens: int = 10, *, model: str = "m", cost: str | None = "0.001") -> UsageEntry:
    price = None if cost is None else Decimal(cost)
    return UsageEntry(kind=UsageKind.CHAT, model=model, prompt_tokens=tokens, cost=price)


def wish(
    least: int,
    most: int,
    *ceilings: Ceiling,
    turn: int | None = None,
    person: Person = ME,
    seconds: float = 60,
) -> Wish:
    return Wish(
        person=person,
        least=Amount(tokens=least),
        most=Amount(tokens=most),
        ceilings=ceilings or (DAILY,),
        turn=turn,
        seconds=seconds,
    )


async def left_over(settings: StorageSettings) -> int:
    async with connected(settings) as database:
        query = sa.select(sa.func.count()).select_from(reservations)
        return await database.read(lambda c: _one(c, query))


async def _one(connection: Connection, query: sa.Select[int]) -> int:
    return (await connection.execute(query)).scalar_one()


async def running(stores: Stores, key: str, name: str = "home") -> int:
    """A turn that runs."""
    turn = await begun(stores.turns, message(key, name))
    return turn.id


async def spend(stores: Stores, person: Person, *entries: UsageEntry) -> None:
    """A turn of somebody that used so much."""
    event = message(f"spend {next(NUMBERS)}")
    turn = await begun(stores.turns, replace(event, sender=Sender(person.id, "")))
    await stores.turns.finish(turn.id, Outcome(usage=entries))


# ---------------------------------------------------------------- setting aside


async def test_requests_at_once_do_not_get_the_same_rest(stores: Stores) -> None:
    wishes = [stores.ledger.reserve(wish(100, 300)) for _ in range(10)]
    found = await asyncio.gather(*wishes)
    granted = [each.amount.tokens for each in found if isinstance(each, Reserved)]
    assert sorted(granted) == [100, 300, 300, 300]
    refused = next(each for each in found if isinstance(each, Refused))
    assert (refused.standing.used, refused.standing.reserved) == (Decimal(0), Decimal(1_000))


async def test_everybody_together_has_a_limit_too(stores: Stores) -> None:
    others = [Person("test", UserId(f"u{number}")) for number in range(3)]
    found = [
        await stores.ledger.reserve(wish(200, 700, DAILY, TOGETHER, person=other))
        for other in others
    ]
    assert [getattr(each, "amount", Amount()).tokens for each in found] == [700, 700, 0]
    assert isinstance(found[2], Refused)
    assert found[2].standing.ceiling == TOGETHER


@pytest.mark.parametrize("end", ["finish", "release", "fail", "dead"])
async def test_however_an_attempt_ends_its_reservation_is_gone_and_its_usage_counts(
    stores: Stores, settings: StorageSettings, end: str
) -> None:
    turn = await running(stores, "a")
    await stores.ledger.reserve(wish(100, 1_000, turn=turn))
    assert isinstance(await stores.ledger.reserve(wish(100, 100)), Refused)
    match end:
        case "finish":
            await stores.turns.finish(turn, Outcome(usage=(entry(300),)))
        case "release":
            await stores.turns.release(turn, usage=(entry(300),))
        case _:
            await stores.turns.fail(turn, "no", dead=end == "dead", usage=(entry(300),))
    [standing] = await stores.ledger.standings(ME, [DAILY])
    assert (standing.used, standing.reserved) == (Decimal(300), Decimal(0))
    assert await left_over(settings) == 0


async def test_what_ran_when_the_process_died_holds_nothing_any_more(
    settings: StorageSettings,
) -> None:
    async with open_store(settings) as stores:
        turn = await running(stores, "a")
        await stores.ledger.reserve(wish(100, 1_000, turn=turn))
    async with open_store(settings) as stores:
        await stores.turns.recover()
        assert isinstance(await stores.ledger.reserve(wish(1_000, 1_000)), Reserved)


async def test_work_outside_of_a_turn_gives_back_or_expires(stores: Stores) -> None:
    lost = await stores.ledger.reserve(wish(900, 900, seconds=-1))
    kept = await stores.ledger.reserve(wish(900, 900))
    assert isinstance(lost, Reserved)
    assert isinstance(kept, Reserved)
    [standing] = await stores.ledger.standings(ME, [DAILY])
    assert standing.reserved == 900
    await stores.ledger.release(kept.id)
    [standing] = await stores.ledger.standings(ME, [DAILY])
    assert standing.reserved == 0


async def test_a_note_is_due_once_in_its_period(settings: StorageSettings) -> None:
    now = [datetime(2026, 11, 30, 12, tzinfo=UTC)]
    async with open_store(settings, calendar=Calendar(now=lambda: now[0])) as stores:
        monthly = Ceiling(period=Period.MONTH, measure=Measure.TOKENS, limit=Decimal(1))
        said = [await stores.ledger.first_time(ME, each) for each in (DAILY, DAILY, monthly)]
        now[0] += timedelta(days=1)
        said += [await stores.ledger.first_time(ME, each) for each in (DAILY, DAILY, monthly)]
    assert said == [True, False, True, True, False, True]


# ---------------------------------------------------------------- limits of single people


async def test_limits_of_single_people_are_kept(stores: Stores) -> None:
    limits = {(Period.DAY, Measure.COST): Decimal("0.25"), (Period.MONTH, Measure.IMAGES): None}
    await stores.ledger.set_limits(ME, limits)
    assert await stores.ledger.people_with_limits() == {ME: limits}
    await stores.ledger.set_limits(ME, {})
    assert await stores.ledger.people_with_limits() == {}


# ---------------------------------------------------------------- sums


async def test_sums_are_those_of_the_rows_whatever_happens(settings: StorageSettings) -> None:
    chance = random.Random(7)
    now = [datetime(2026, 11, 28, 23, tzinfo=UTC)]
    days: Counter[str] = Counter()
    async with open_store(settings, calendar=Calendar(now=lambda: now[0])) as stores:
        for number in range(60):
            now[0] += timedelta(hours=chance.choice([0, 0, 1, 5]))
            entries = tuple(
                entry(
                    chance.randrange(100),
                    model=chance.choice("abc"),
                    cost=chance.choice(["0.1", "0.000001", None]),
                )
                for _ in range(chance.randrange(4))
            )
            turn = await running(stores, str(number))
            await stores.ledger.reserve(wish(1, 50, turn=turn))
            if chance.random() < 0.8:
                await stores.turns.finish(turn, Outcome(usage=entries))
                days[f"{now[0]:%Y-%m-%d}"] += sum(each.prompt_tokens for each in entries)
            else:
                await stores.turns.fail(turn, "no", dead=True)
        mine = await stores.ledger.totals(ME, Period.ALL)
        everybody = await stores.ledger.totals(None, Period.ALL)
        by_day = await stores.ledger.days(ME, Calendar(now=lambda: now[0]).days(14))
        month = await stores.ledger.totals(ME, Period.MONTH)
    async with connected(settings) as database:
        rows = await database.read(_usage_rows)
    assert mine == everybody
    assert {total.model: total.requests for total in mine} == Counter(r.model for r in rows)
    assert sum(total.tokens for total in mine) == sum(row.prompt_tokens for row in rows)
    assert sum(total.cost for total in mine) == sum(row.cost or 0 for row in rows)
    assert sum(total.unpriced for total in mine) == sum(row.cost is None for row in rows)
    found: Counter[str] = Counter()
    for total in by_day:
        found[f"{total.day}"] += total.tokens
    assert +found == +days
    assert sum(total.tokens for total in month) == sum(
        tokens for day, tokens in days.items() if day.startswith(f"{now[0]:%Y-%m}")
    )
    assert await left_over(settings) == 0


async def _usage_rows(connection: Connection) -> Sequence[sa.Row[tuple[object, ...]]]:
    return (await connection.execute(sa.select(usage))).all()


async def test_who_spends_most_comes_first_and_has_a_name(stores: Stores) -> None:
    await stores.users.seen("test", ANN)
    other = Person("test", UserId("other"))
    await spend(stores, ME, entry(cost="0.5"))
    await spend(stores, other, entry(cost="0.7"), entry(cost=None))
    found = await stores.ledger.spenders(Period.MONTH, limit=5)
    assert [(each.person, each.name, each.cost, each.unpriced) for each in found] == [
        (other, "", Decimal("0.7"), 1),
        (ME, "Ann", Decimal("0.5"), 0),
    ]


async def test_what_was_used_before_the_sums_existed_is_summed_up(
    empty: StorageSettings,
) -> None:
    await migrate.move(empty, "0004")
    async with connected(empty) as database:

        async def fill(connection: Connection) -> None:
            for day, cost in (("2025-11-24", "1"), ("2025-11-25", "2"), ("2025-11-25", None)):
                row = {
                    "created_at": datetime.fromisoformat(f"{day}T23:30:00+00:00"),
                    "platform": "test",
                    "chat": "home",
                    "user_id": "7",
                    "kind": "chat",
                    "model": "m",
                    "prompt_tokens": 5,
                    "completion_tokens": 6,
                    "images": 0,
                    "seconds": 0.0,
                    "cost": None if cost is None else Decimal(cost),
                    "estimated": False,
                }
                await connection.execute(sa.insert(usage).values(row))

        await database.write(fill)
    noon = Calendar(now=lambda: datetime(2025, 11, 25, 12, tzinfo=UTC))
    async with open_store(empty, calendar=noon) as stores:
        for person in (ME, None):
            [day] = await stores.ledger.totals(person, Period.DAY)
            [month] = await stores.ledger.totals(person, Period.MONTH)
            [ever] = await stores.ledger.totals(person, Period.ALL)
            assert (day.requests, day.tokens, day.cost, day.unpriced) == (2, 22, Decimal(2), 1)
            assert month == ever
            assert (ever.requests, ever.tokens, ever.cost, ever.unpriced) == (3, 33, Decimal(3), 1)


async def test_one_who_is_forgotten_keeps_only_the_sums_that_limits_need(
    settings: StorageSettings,
) -> None:
    now = [datetime(2026, 10, 31, 12, tzinfo=UTC)]
    async with open_store(settings, calendar=Calendar(now=lambda: now[0])) as stores:
        await spend(stores, ME, entry(100))
        now[0] += timedelta(days=1)
        await spend(stores, ME, entry(10))
        await stores.privacy.forget_person(ME, by=2)
        for period in Period:
            assert [t.tokens for t in await stores.ledger.totals(ME, period)] == [10]
        assert [t.tokens for t in await stores.ledger.totals(None, Period.ALL)] == [110]


async def test_what_limits_need_is_looked_up_in_an_index(tmp_path: Path) -> None:
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/store.db")
    await migrate.upgrade(settings)

    async def explain(connection: Connection) -> list[str]:
        values = dict.fromkeys(("platform", "user_id", "day", "month"), "x")
        query = STANDINGS.params(values).compile(
            dialect=connection.dialect, compile_kwargs={"literal_binds": True}
        )
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")
        return [row[-1] for row in plan.all()]

    async with connected(settings) as database:
        plan = await database.read(explain)
    totals = [line for line in plan if "usage_totals" in line]
    assert len(totals) == 2
    assert all(
        line.startswith("SEARCH") and "platform=? AND user_id=? AND period=?" in line
        for line in totals
    ), plan
