"""What knowing and limiting adds to a message, beside a long history of everybody.

python -m tests.bench.bench_limits
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from bot.core.access import Access, Gate
from bot.core.chart import chart_of
from bot.core.clock import SystemClock
from bot.core.limits.budget import Budget, Quotas
from bot.core.limits.calendar import Calendar, Period
from bot.core.limits.ledger import Wish
from bot.core.limits.quota import Amount, parse_limits
from bot.core.statistics import percentile
from bot.core.types import (
    ChatId,
    ChatRef,
    IncomingMessage,
    MessageId,
    MessageRef,
    Person,
    Sender,
    UserId,
)
from bot.formats import BabelFormats
from bot.media.chart import draw_chart
from bot.store import StorageSettings, open_store
from bot.store.database import connected
from bot.store.drivers.connection import Connection
from bot.store.schema import usage_totals

PEOPLE = 1_000
DAYS = 180
ACTIVE = 100
"""People who write within half a minute: their limits are known from memory."""
ROUNDS = 1_000


async def main() -> None:
    """Measure the gate, the reservation, and what /usage reads and draws."""
    clock, calendar = SystemClock(), Calendar()
    with TemporaryDirectory() as folder:
        storage = StorageSettings(url=f"sqlite:///{Path(folder) / 'bench.db'}")
        async with open_store(storage) as stores:
            async with connected(storage) as database:
                await _fill(database.write, calendar)
            gate = Gate(
                Access(users=frozenset(f"test:{n}" for n in range(PEOPLE))),
                clock,
                lambda chat: (chat.id,),
                stores.grants,
            )
            quotas = Quotas(
                own=parse_limits(["daily_tokens=1000000000", "monthly_cost=1000000"]),
                everybody=parse_limits(["daily_tokens=1000000000"]),
            )
            budget = Budget(stores.ledger, quotas=quotas, calendar=calendar, clock=clock)

            async def enter(number: int) -> None:
                await gate.refresh()
                gate.takes_in(_message(number % PEOPLE))

            async def reserve(number: int) -> None:
                person = Person("test", UserId(str(number % ACTIVE)))
                ceilings = await budget.ceilings(person, admin=False)
                amount = Amount(tokens=1_000, cost=Decimal("0.01"))
                wish = Wish(person=person, least=amount, most=amount, ceilings=ceilings, seconds=1)
                await budget.reserve(wish)

            async def read(number: int) -> None:
                person = Person("test", UserId(str(number % PEOPLE)))
                for period in Period:
                    await stores.ledger.totals(person, period)
                await stores.ledger.days(person, calendar.days(14))

            async def chart(number: int) -> None:
                days = calendar.days(14)
                found = await stores.ledger.days(None, days)
                drawn = chart_of(found, days, BabelFormats("en", calendar.zone))
                assert drawn is not None
                await draw_chart(drawn)

            await _measure("gate", enter, ROUNDS)
            await _measure("limits, read and reserved", reserve, ROUNDS)
            await _measure("/usage, read", read, ROUNDS)
            await _measure("/usage, chart", chart, 10)


async def _measure(name: str, work: Callable[[int], Awaitable[None]], rounds: int) -> None:
    times = []
    for number in range(rounds):
        began = time.perf_counter()
        await work(number)
        times.append((time.perf_counter() - began) * 1000)
    half, most = percentile(times, 0.5), percentile(times, 0.95)
    print(f"{name:28} p50 {half:7.3f} ms   p95 {most:7.3f} ms")


async def _fill(
    write: Callable[[Callable[..., Awaitable[None]]], Awaitable[None]], calendar: Calendar
) -> None:
    """Half a year of sums of a thousand people and of everybody."""
    days = [f"{day:%Y-%m-%d}" for day in calendar.days(DAYS)]
    whole = {"kind": "chat", "requests": 5, "prompt_tokens": 900, "completion_tokens": 100}
    rest = {"images": 0, "seconds": 0.0, "cost": Decimal("0.01"), "unpriced": 0}
    people = [("test", str(number)) for number in range(PEOPLE)]

    async def fill(connection: Connection) -> None:
        for platform, user in [("", ""), *people]:
            rows = [
                {"platform": platform, "user_id": user, "period": period, "model": model}
                | whole
                | rest
                for period in (*days, *sorted({day[:7] for day in days}), "")
                for model in ("gpt-4o-mini", "o3")
            ]
            await connection.execute(sa.insert(usage_totals), rows)

    await write(fill)


def _message(number: int) -> IncomingMessage:
    chat = ChatRef("test", ChatId(str(number)))
    return IncomingMessage(
        key="bench",
        ref=MessageRef(chat, MessageId("1")),
        sender=Sender(UserId(str(number)), "Ann"),
        text="hello",
    )


if __name__ == "__main__":
    asyncio.run(main())
