"""PostgreSQL shared by several bots that write the same rows in the same moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from bot.core.limits.calendar import UTC_CALENDAR, Period
from bot.core.limits.ledger import Wish
from bot.core.limits.quota import Amount, Ceiling, Measure
from bot.core.models import UsageEntry, UsageKind
from bot.core.types import IncomingMessage, Person, Sender, UserId
from bot.store import StorageSettings, usage_rows
from bot.store.database import Database, connected
from bot.store.drivers.connection import Connection
from bot.store.ledger import LedgerTable
from bot.store.queue.declines import decline
from bot.store.schema import users
from bot.store.users import UserTable
from tests.store.events import chat, numbered

BOB = Sender(UserId("8"), "Bob")

# A SQLite file has one bot at a time.
pytestmark = pytest.mark.parametrize("settings", ["postgres"], indirect=True)

WAITING = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")


async def spend(connection: Connection, model: str) -> None:
    spent = UsageEntry(kind=UsageKind.CHAT, model=model, prompt_tokens=5, cost=Decimal(1))
    await usage_rows.keep(connection, chat(), UserId("7"), (spent,), UTC_CALENDAR)


async def test_two_bots_do_not_set_the_same_rest_of_a_limit_aside(
    settings: StorageSettings,
) -> None:
    limit = Ceiling(period=Period.DAY, measure=Measure.TOKENS, limit=Decimal(100))
    async with connected(settings) as one, connected(settings) as two:
        for number in range(10):
            person, most = Person("test", UserId(f"u{number}")), Amount(tokens=100)
            wish = Wish(person=person, least=most, most=most, ceilings=(limit,))
            ledgers = (LedgerTable(database, UTC_CALENDAR) for database in (one, two))
            found = await asyncio.gather(*(ledger.reserve(wish) for ledger in ledgers))
            assert sorted(type(each).__name__ for each in found) == ["Refused", "Reserved"]


async def test_two_that_add_up_in_different_orders_do_not_wait_for_each_other(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as one, connected(settings) as two:
        taken = asyncio.Event()

        async def forth(connection: Connection) -> None:
            await spend(connection, "model-a")
            taken.set()
            while not await connection.scalar(WAITING):  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(0.01)
            await spend(connection, "model-b")

        async def back(connection: Connection) -> None:
            await spend(connection, "model-b")
            await spend(connection, "model-a")

        going = one.write(forth)
        await taken.wait()
        await asyncio.gather(going, two.write(back))
        totals = await LedgerTable(one, UTC_CALENDAR).totals(None, Period.DAY)
        assert [(total.model, total.requests) for total in totals] == [
            ("model-a", 2),
            ("model-b", 2),
        ]


async def test_of_two_commits_that_wait_for_each_other_neither_is_lost(
    settings: StorageSettings,
) -> None:
    settings = settings.model_copy(update={"busy_timeout": 20.0})
    async with connected(settings) as one, connected(settings) as two:
        for id in "ab":
            await UserTable(one).seen("test", Sender(UserId(id), ""))
        met = asyncio.Barrier(2)

        def writes(database: Database, first: str, second: str) -> list[asyncio.Future[None]]:
            """Two writes under one commit, which is in the middle when the other is, too."""
            meeting = [met.wait()]

            async def begin(connection: Connection) -> None:
                await rename(connection, first)
                if meeting:
                    await meeting.pop()

            return [
                database.write(begin),
                database.write(lambda connection: rename(connection, second)),
            ]

        await asyncio.gather(*writes(one, "a", "b"), *writes(two, "b", "a"))
        names = await one.read(lambda connection: connection.execute(sa.select(users.c.name)))
        assert [row.name for row in names] == ["Ann Ann", "Ann Ann"]


async def rename(connection: Connection, id: str) -> None:
    longer = sa.func.trim(users.c.name + " Ann")
    await connection.execute(sa.update(users).where(users.c.id == id).values(name=longer))


async def test_in_a_flood_of_two_people_over_two_bots_neither_waits_for_the_other(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as one, connected(settings) as two:
        ann = [numbered(number) for number in (1, 2, 3)]
        bob = [replace(numbered(number), sender=BOB) for number in (4, 5, 6)]
        for lead in (ann[0], bob[0]):
            await one.write(decline, lead, "one")
        met = asyncio.Barrier(2)

        async def both(
            connection: Connection, first: IncomingMessage, then: IncomingMessage
        ) -> None:
            await decline(connection, first, "one")
            await met.wait()
            await decline(connection, then, "one")

        # If they did, PostgreSQL would find that out after a second, and refuse one.
        await asyncio.gather(
            one.write(both, ann[1], bob[1]),
            two.write(both, bob[2], ann[2]),
        )
