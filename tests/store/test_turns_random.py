"""Any order of events, ends, failures, restarts and cancellations: nothing lost, nothing twice.

Two tests. One does one thing after the other and knows what each claim must return; the other
does many things at once, cancels them anywhere, and looks at what came of it.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

import pytest
import sqlalchemy as sa

from bot.core.chat import TextPart
from bot.core.clock import SystemClock
from bot.core.queue import Outcome, Turn
from bot.core.types import Event
from bot.store import StorageSettings
from bot.store.conversations import ConversationTable
from bot.store.database import Database, connected
from bot.store.queue.intake import Rules
from bot.store.queue.turns import Turns
from bot.store.schema import turns as table
from tests.store.events import chat, message, press, said
from tests.store.test_leases import present

CHATS = ("red", "green", "blue", "grey")


def queue(database: Database, owner: str) -> Turns:
    """The queue as a process that has just started sees it."""
    return Turns(
        database, Rules(per_chat=1000, in_all=1000, owner=owner, lease=3600), clock=SystemClock()
    )


@asynccontextmanager
async def processes(settings: StorageSettings) -> AsyncGenerator[list[Database]]:
    """The databases of the processes: SQLite has one at a time, PostgreSQL shares the work."""
    async with AsyncExitStack() as stack:
        count = 1 if settings.sqlite_file is not None else 2
        yield [await stack.enter_async_context(connected(settings)) for _ in range(count)]


class Lives:
    """Each process has been started a number of times; what it held went with its last life."""

    def __init__(self, settings: StorageSettings, databases: Sequence[Database]) -> None:
        self._settings = settings
        self._databases = databases
        self._living = [AsyncExitStack() for _ in databases]
        self._starts = itertools.count()

    async def start(self, process: int) -> Turns:
        """Start a process, after it was killed; returns its queue."""
        owner = f"start {next(self._starts)} of process {process}"
        await self._living[process].aclose()
        if self._settings.sqlite_file is None:
            await self._living[process].enter_async_context(present(self._settings, owner))
        return queue(self._databases[process], owner)

    async def __aenter__(self) -> Self:
        """None lives yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """All are killed."""
        for living in self._living:
            await living.aclose()


async def answered(database: Database, name: str) -> list[str]:
    """The keys of the turns that were answered in a chat, in order."""
    conversations = ConversationTable(database)
    conversation = await conversations.current(chat(name))
    page = await conversations.page(conversation, limit=10_000)
    return [part.text for kept in page for part in kept.message.parts if isinstance(part, TextPart)]


async def outcome(database: Database, turn: Turn) -> Outcome:
    """An answer that says which turn it belongs to."""
    conversation = await ConversationTable(database).current(turn.chat)
    return Outcome(conversation=conversation, messages=(said(turn.event.key),))


# ---------------------------------------------------------------- one after the other


@dataclass
class Expected:
    """A turn as it must be."""

    event: Event
    urgent: bool
    attempt: int = 1
    runs_in: int | None = None

    @property
    def chat(self) -> str:
        return str(self.event.key).partition("-")[0]


@dataclass
class Model:
    """The queue in a list: what it must do, in the plainest words."""

    turns: list[Expected] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def next(self) -> Expected | None:
        waiting = [turn for turn in self.turns if turn.runs_in is None]
        busy = {turn.chat for turn in self.turns if turn.runs_in is not None and not turn.urgent}
        ready = [turn for turn in waiting if turn.urgent]
        ready += [turn for turn in waiting if not turn.urgent and turn.chat not in busy]
        return ready[0] if ready else None

    def running(self, process: int) -> list[Expected]:
        return [turn for turn in self.turns if turn.runs_in == process]


@pytest.mark.parametrize("seed", range(3))
async def test_every_claim_is_the_one_the_rules_ask_for(
    settings: StorageSettings, seed: int
) -> None:
    chance = random.Random(seed)
    model = Model()
    claimed: dict[str, Turn] = {}
    async with processes(settings) as databases, Lives(settings, databases) as lives:
        queues = [await lives.start(process) for process in range(len(databases))]

        async def accept() -> None:
            name, urgent = chance.choice(CHATS), chance.random() < 0.2
            known = [turn.event for turn in model.turns]
            if known and chance.random() < 0.2:
                again = await chance.choice(queues).accept(chance.choice(known), urgent=False)
                assert not again.fresh
                return
            key = f"{name}-{len(model.turns) + len(model.done)}-{chance.random()}"
            event = press(key, name) if urgent else message(key, name)
            process, at_once = chance.randrange(len(queues)), chance.random() < 0.5
            accepted = await queues[process].accept(event, urgent=urgent, begin=at_once)
            before = [turn for turn in model.turns if turn.chat == name and not turn.urgent]
            ahead = 0 if urgent else len(before)
            assert (accepted.fresh, accepted.ahead) == (True, ahead)
            assert (accepted.turn is not None) == (at_once and not ahead)
            expected = Expected(event, urgent)
            if accepted.turn is not None:
                assert (accepted.turn.event, accepted.turn.attempt) == (event, 1)
                expected.runs_in, claimed[key] = process, accepted.turn
            model.turns.append(expected)

        async def claim() -> None:
            process = chance.randrange(len(queues))
            expected = model.next()
            turn = await queues[process].claim()
            if expected is None:
                assert turn is None
                return
            assert turn is not None
            assert (turn.event, turn.attempt) == (expected.event, expected.attempt)
            expected.runs_in = process
            claimed[turn.event.key] = turn

        async def end() -> None:
            process = chance.randrange(len(queues))
            if not (running := model.running(process)):
                return
            expected = chance.choice(running)
            turn, turns = claimed[expected.event.key], queues[process]
            match chance.randrange(5):
                case 0 | 1 | 2:
                    await turns.finish(turn.id, await outcome(databases[process], turn))
                    model.turns.remove(expected)
                    model.done.append(turn.event.key)
                case 3:
                    await turns.fail(turn.id, "no luck", dead=False)
                    expected.runs_in, expected.attempt = None, expected.attempt + 1
                case _:
                    await turns.release(turn.id)
                    expected.runs_in = None

        async def restart() -> None:
            process = chance.randrange(len(queues))
            queues[process] = await lives.start(process)
            lost = model.running(process)
            assert await queues[process].recover() == len(lost)
            for turn in lost:
                turn.runs_in, turn.attempt = None, turn.attempt + 1

        steps = [accept] * 5 + [claim] * 5 + [end] * 5 + [restart]
        for _ in range(100):
            await chance.choice(steps)()
        while model.turns:
            await claim()
            await end()
        for name in CHATS:
            mine = [key for key in model.done if key.startswith(name)]
            assert await answered(databases[0], name) == mine


# ---------------------------------------------------------------- all at once


@pytest.mark.parametrize("seed", range(2))
async def test_a_storm_with_cancellations_answers_everything_once_and_in_order(
    settings: StorageSettings, seed: int
) -> None:
    chance = random.Random(seed)
    keys = [f"{name}-{number:03}" for number in range(8) for name in CHATS]
    busy: set[str] = set()

    async def offer(turns: Turns, database: Database) -> None:
        for key in keys:  # in order per chat; each key by every process
            event = message(key, key.partition("-")[0])
            accepted = await turns.accept(event, urgent=False, begin=chance.random() < 0.5)
            if accepted.turn is not None:
                await answer(turns, database, accepted.turn)
            await asyncio.sleep(0)

    async def work(turns: Turns, database: Database) -> None:
        while (turn := await turns.claim()) is not None:
            await answer(turns, database, turn)

    async def answer(turns: Turns, database: Database, turn: Turn) -> None:
        assert turn.chat.id not in busy, "two turns of a chat are running"
        busy.add(turn.chat.id)
        try:
            await asyncio.sleep(chance.random() / 500)
            await turns.checkpoint(turn.id, partial="so far", shown=())
            result = await outcome(database, turn)
            busy.discard(turn.chat.id)
            if chance.random() < 0.2:
                await turns.fail(turn.id, "no luck", dead=False)
            else:
                await turns.finish(turn.id, result)
        except asyncio.CancelledError:
            # What the lanes do at a shutdown; it changes nothing once the turn has ended.
            busy.discard(turn.chat.id)
            await turns.release(turn.id)
            raise

    async def cut_short(
        doing: Callable[[Turns, Database], Coroutine[None, None, None]], process: int
    ) -> None:
        task = asyncio.create_task(doing(queues[process], databases[process]))
        if chance.random() < 0.7:
            await asyncio.sleep(chance.random() / 30)
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async with processes(settings) as databases:
        queues = [queue(database, f"process {n}") for n, database in enumerate(databases)]
        for _ in range(4):
            storm = [
                cut_short(doing, process)
                for process in range(len(queues))
                for doing in (offer, work, work, work)
            ]
            await asyncio.gather(*storm)
        await offer(queues[0], databases[0])
        await work(queues[0], databases[0])
        states = sa.select(table.c.state, sa.func.count()).group_by(table.c.state)
        rows = await databases[0].read(lambda connection: connection.execute(states))
        assert rows.all() == [("done", len(keys))]
        for name in CHATS:
            mine = [key for key in keys if key.startswith(name)]
            assert await answered(databases[0], name) == mine
