"""How fast the store is: `python -m tests.bench.bench_store [sqlite] [postgres] [--small]`.

Prints, per database: storing an event, alone and among fifty; from stored to claimed, at fifty
events a second; whole turns per second; checkpoints of 200 chats; storing and claiming among 1,000
waiting turns, then also among many that ended; a page of a conversation among a thousand and among
a million messages, with the database's plan for it.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import sqlalchemy as sa

from bot.core.chat import Role, TextPart
from bot.core.models import UsageEntry, UsageKind
from bot.core.queue import Outcome
from bot.core.stores import Stores
from bot.store import StorageSettings, open_store
from bot.store.codec import dump_parts
from bot.store.columns import utc_now
from bot.store.database import connected
from bot.store.drivers.connection import Connection
from bot.store.message_rows import PAGE_BEFORE
from bot.store.schema import messages, turns
from tests.store.events import chat, message, ref, said
from tests.store.postgres import running_server


def main() -> None:
    """Run what the command line asks for; both databases when it names none."""
    wanted = [word for word in sys.argv[1:] if word in _PLACES] or list(_PLACES)
    many = 100_000 if "--small" in sys.argv else 1_000_000
    for name in wanted:
        with _PLACES[name]() as url:
            print(f"\n{name}")
            asyncio.run(measure(StorageSettings(url=url), many))


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="chinwag-bench-") as folder:
        yield f"sqlite:///{folder}/store.db"


@contextmanager
def _postgres() -> Iterator[str]:
    with running_server(durable=True) as server:
        yield server.url()


_PLACES = {"sqlite": _sqlite, "postgres": _postgres}


async def _insert(rows: list[dict[str, object]], connection: Connection) -> None:
    await connection.execute(sa.insert(messages).values(created_at=utc_now()), rows)


async def measure(settings: StorageSettings, many: int) -> None:
    """Everything, on one database."""
    started = time.perf_counter()
    async with open_store(settings):
        say("first start, tables made", time.perf_counter() - started)
    started = time.perf_counter()
    async with open_store(settings, waiting_per_chat=5000, waiting_in_all=5000) as stores:
        say("next start", time.perf_counter() - started)
        await intake(stores)
        await cycle(stores)
        await checkpoints(stores)
        await crowd(stores, "1,000 waiting")
        await past(settings, many // 5)
        await crowd(stores, f"{many // 5:,} ended")
    for size in (1_000, many):
        await pages(settings, size)


async def intake(stores: Stores) -> None:
    """Events stored one by one, fifty at a time, and how soon they are claimed."""
    turns = stores.turns
    say("event stored", *await timed(300, lambda n: turns.accept(message(f"a{n}"), urgent=False)))

    async def fifty(number: int) -> None:
        offers = (turns.accept(message(f"b{number}-{n}"), urgent=False) for n in range(50))
        await asyncio.gather(*offers)

    say("50 events stored at once", *await timed(20, fifty))
    await drain(stores)
    stored: dict[str, float] = {}
    waits: list[float] = []
    wake = asyncio.Event()

    async def claim() -> None:
        while len(waits) < 300:
            await wake.wait()
            wake.clear()
            while (turn := await turns.claim()) is not None:
                waits.append(time.perf_counter() - stored[turn.event.key])
                await turns.finish(turn.id, Outcome())

    claiming = asyncio.create_task(claim())
    for number in range(300):
        key = f"c{number}"
        await turns.accept(message(key, key), urgent=False)
        stored[key] = time.perf_counter()
        wake.set()
        await asyncio.sleep(0.02)
    await claiming
    say("from stored to claimed", *waits)  # at fifty a second


async def cycle(stores: Stores) -> None:
    """Whole turns: stored, claimed, three checkpoints, ended with messages and usage."""
    turns, count, chats = stores.turns, 600, 50
    answer = said("word " * 200, Role.ASSISTANT)

    async def lane(name: str) -> None:
        conversation = await stores.conversations.current(chat(name))
        for number in range(count // chats):
            await turns.accept(message(f"{name}-{number}", name), urgent=False)
            turn = await turns.claim()
            assert turn is not None
            for step in range(3):
                await turns.checkpoint(turn.id, partial="word " * 60 * step, shown=[ref()])
            await turns.finish(
                turn.id,
                Outcome(
                    conversation=conversation,
                    messages=(said("question"), answer),
                    usage=(UsageEntry(kind=UsageKind.CHAT, model="m"),),
                ),
            )

    started, busy = time.perf_counter(), time.process_time()
    await asyncio.gather(*(lane(f"lane{n}") for n in range(chats)))
    seconds, cpu = time.perf_counter() - started, time.process_time() - busy
    each = f"CPU {cpu / count * 1e3:.2f} ms each"
    print(f"  whole turns in {chats} chats{count / seconds:>19,.0f} /s   {each}")


async def checkpoints(stores: Stores) -> None:
    """200 chats write down how far they are, all at once, as they do every second."""
    ids = []
    for number in range(200):
        await stores.turns.accept(message(f"d{number}", f"d{number}"), urgent=False)
        turn = await stores.turns.claim()
        assert turn is not None
        ids.append(turn.id)

    async def all_of_them(number: int) -> None:
        text = "word " * 400
        await asyncio.gather(
            *(stores.turns.checkpoint(turn_id, partial=text, shown=[ref()]) for turn_id in ids)
        )

    say("checkpoints of 200 chats", *await timed(10, all_of_them))
    for turn_id in ids:
        await stores.turns.finish(turn_id, Outcome())


async def crowd(stores: Stores, among: str) -> None:
    """Claims and events among 1,000 waiting turns of 200 chats, and claims with all chats busy."""

    async def accept(number: int) -> None:
        event = message(f"{among}{number}", f"e{number % 200}")
        await stores.turns.accept(event, urgent=False)

    accepts = await timed(1000, accept)
    say(f"event stored, {among}", *accepts)
    claims: list[float] = []
    ids = []
    for _ in range(200):
        started = time.perf_counter()
        turn = await stores.turns.claim()
        claims.append(time.perf_counter() - started)
        assert turn is not None
        ids.append(turn.id)
    say(f"claim, {among}", *claims)
    busy = await timed(50, lambda n: stores.turns.claim())
    say(f"no claim, {among}", *busy)
    for turn_id in ids:
        await stores.turns.finish(turn_id, Outcome())
    await drain(stores)


async def past(settings: StorageSettings, count: int) -> None:
    """Turns that ended long ago."""
    row = {"platform": "test", "chat": "old", "user_id": "7", "kind": "message", "event": "{}"}
    row |= {"state": "done", "partial": "", "shown": "[]"}
    rows = [{**row, "key": f"old{number}"} for number in range(count)]
    insert = sa.insert(turns).values(
        urgent=False, attempt=1, accepted_at=utc_now(), finished_at=utc_now()
    )
    async with connected(settings) as database:
        await database.write(lambda connection: connection.execute(insert, rows))


async def drain(stores: Stores) -> None:
    """End whatever waits."""
    while (turn := await stores.turns.claim()) is not None:
        await stores.turns.finish(turn.id, Outcome())


async def pages(settings: StorageSettings, size: int) -> None:
    """The newest 50 messages of a conversation among `size` messages in 20 conversations."""
    async with open_store(settings) as stores, connected(settings) as database:
        ids = [await stores.conversations.current(chat(f"p{n}")) for n in range(20)]
        text, _ = dump_parts((TextPart("word " * 40),))
        row = {
            "role": "user",
            "parts": text,
            "tool_call_id": "",
            "sender_id": "",
            "state": "complete",
        }
        row |= {"sender_name": "", "model": ""}
        present = await database.read(
            lambda connection: connection.scalar(sa.select(sa.func.count()).select_from(messages))
        )
        started = time.perf_counter()
        for first in range(present or 0, size, 20_000):
            rows = [
                {**row, "conversation_id": ids[number % 20]}
                for number in range(first, min(first + 20_000, size))
            ]
            insert = partial(_insert, rows)
            await database.write(insert)
        print(f"  {size:,} messages ({time.perf_counter() - started:.0f} s to insert)")
        newest = await timed(100, lambda n: stores.conversations.page(ids[n % 20]))
        say("  newest page", *newest)
        middle = size // 2
        older = await timed(100, lambda n: stores.conversations.page(ids[n % 20], before=middle))
        say("  page in the middle", *older)
        place = {"conversation": ids[0], "before": middle, "most": 50}
        dialect = sa.make_url("sqlite://" if database.sqlite else "postgresql://").get_dialect()
        compiled = PAGE_BEFORE.params(place).compile(
            dialect=dialect(), compile_kwargs={"literal_binds": True}
        )
        explain = "EXPLAIN QUERY PLAN" if database.sqlite else "EXPLAIN"
        plan = await database.read(
            lambda connection: connection.exec_driver_sql(f"{explain} {compiled}")
        )
        for line in plan.all():
            print(f"    {line[-1]}")


async def timed(count: int, call: Callable[[int], Awaitable[object]]) -> list[float]:
    """The seconds that each of the calls took."""
    took = []
    for number in range(count):
        started = time.perf_counter()
        await call(number)
        took.append(time.perf_counter() - started)
    return took


def say(what: str, *seconds: float) -> None:
    """One line: the median, and the 95th percentile where there are several."""
    line = f"  {what:<28}{statistics.median(seconds) * 1e3:>10.2f} ms"
    if len(seconds) > 1:
        line += f"   p95 {statistics.quantiles(seconds, n=20)[-1] * 1e3:.2f} ms"
    print(line)


if __name__ == "__main__":
    main()
