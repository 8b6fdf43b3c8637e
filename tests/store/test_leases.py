"""PostgreSQL shared by several bots: who has a turn, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import pytest
import sqlalchemy as sa

from bot.core.clock import SystemClock
from bot.core.ports import Clock
from bot.core.queue import Outcome
from bot.errors import TurnLost
from bot.store import StorageSettings, open_store
from bot.store.conversations import ConversationTable
from bot.store.database import Database, connected
from bot.store.drivers.connection import Connection
from bot.store.drivers.postgres import listening_engine
from bot.store.queue import claims, holds
from bot.store.queue.intake import Rules
from bot.store.queue.news import Listener, heard
from bot.store.queue.turns import Turns
from bot.store.schema import turns as table
from tests.patience import PATIENCE
from tests.store.events import accept, begun, chat, claim, message, numbered, ref, said
from tests.store.test_withdrawals import gone

# A SQLite file has one bot at a time.
pytestmark = pytest.mark.parametrize("settings", ["postgres"], indirect=True)


def queue(
    database: Database,
    owner: str = "me",
    lease: float = 30,
    clock: Clock = SystemClock(),  # noqa: B008 - no state
) -> Turns:
    """The queue as a process sees it that is not `present`."""
    return Turns(database, Rules(per_chat=20, in_all=100, owner=owner, lease=lease), clock=clock)


def present(settings: StorageSettings, owner: str) -> AbstractAsyncContextManager[None]:
    """The process lives, by its connection."""
    deaf = Listener(
        owner,
        seen=lambda: None,
        met=lambda: None,
        hear=lambda: None,
        stop=lambda *_: None,
        cut_off=lambda: None,
    )
    return heard(listening_engine(settings), deaf)


async def expire(database: Database) -> None:
    """Let the lease of every turn be over."""
    past = sa.update(table).values(lease_until=sa.func.now() - sa.text("interval '1 second'"))
    await database.write(lambda connection: connection.execute(past))


async def test_a_turn_that_somebody_works_on_is_left_to_them(settings: StorageSettings) -> None:
    async with connected(settings) as database, present(settings, "one"):
        one, two = queue(database, "one"), queue(database, "two")
        await accept(one, message("1"))
        assert await one.claim() is not None
        await expire(database)
        await one.leases.renew()
        assert await two.recover() == 0
        assert await two.claim() is None


async def test_who_starts_takes_back_at_once_what_a_bot_ran_that_is_gone(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as database:
        one, two = queue(database, "one"), queue(database, "two")
        async with present(settings, "one"):
            await accept(one, message("1"))
            await one.claim()
        assert await two.recover() == 1


async def test_a_bot_whose_connection_breaks_keeps_its_turns(settings: StorageSettings) -> None:
    async with connected(settings) as database:
        one, two = queue(database, "one"), queue(database, "two")
        async with present(settings, "one"):
            turn = await begun(one, message("1"))
        for _ in range(3):
            assert await two.leases.free_left() == 0
            await one.leases.renew()
        await one.finish(turn.id, Outcome())
        assert await two.claim() is None


async def test_the_turn_of_a_silent_bot_is_taken_over_and_answered_once(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as database, present(settings, "silent"):
        conversation = await ConversationTable(database).current(chat())
        outcome = Outcome(conversation=conversation, messages=(said("answer"),))
        silent, other = queue(database, "silent"), queue(database, "other")
        first = await begun(silent, message("1"))
        await silent.checkpoint(first.id, partial="so far", shown=())
        await expire(database)
        assert await other.leases.free_left() == 0  # it is looked at twice
        assert await other.leases.free_left() == 1
        again = await other.claim()
        assert again is not None
        assert (again.id, again.attempt, again.partial) == (first.id, 2, "so far")
        with pytest.raises(TurnLost):
            await silent.checkpoint(first.id, partial="it wakes up", shown=())
        await silent.finish(first.id, outcome)  # too late: it is not its turn any more
        await silent.release(first.id)
        assert await silent.dissolve(first.id)
        assert await ConversationTable(database).page(conversation) == []
        await other.finish(again.id, outcome)
        assert len(await ConversationTable(database).page(conversation)) == 1


async def test_a_silent_bot_takes_nothing_into_a_turn_that_waits_for_another(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as database:
        silent, other = queue(database, "silent"), queue(database, "other")
        lead = await begun(silent, numbered(1), numbered(2))
        [row] = await silent.following(lead.id)
        await silent.checkpoint(lead.id, partial="", shown=[ref(90)])
        assert await other.recover() == 1
        assert not await silent.join(lead.id, [row.id], [ref(90), ref(91)])
        assert (await claim(other)).shown == (ref(90),)


async def test_no_line_says_that_something_waits_which_another_bot_answers(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as database:
        one, other = queue(database, "one"), queue(database, "other")
        accepted = await one.accept(message("1"), urgent=False)
        turn = await claim(other)
        assert not await one.announce(accepted.turn_id, ref(50))
        assert await other.announce(turn.id, ref(51))


async def test_a_bot_whose_turn_is_lost_may_not_do_what_it_notes(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as database:
        gone, other = queue(database, "gone"), queue(database, "other")
        turn = await begun(gone, message("1"))
        await gone.note(turn.id, "asked")
        assert await other.recover() == 1
        with pytest.raises(TurnLost):
            await gone.note(turn.id, "drawn")
        again = await other.claim()
        assert again is not None
        assert again.progress == "asked"


async def test_a_running_bot_frees_what_a_dead_one_held(settings: StorageSettings) -> None:
    async with connected(settings) as database:
        dead = queue(database, "dead", lease=0.05)
        await accept(dead, message("1"))
        await dead.claim()
        async with open_store(settings, lease=0.3) as stores:
            async with asyncio.timeout(PATIENCE):
                while (turn := await stores.turns.claim()) is None:  # noqa: ASYNC110 - another process's doing
                    await asyncio.sleep(0.02)
            assert turn.attempt == 2
            await asyncio.sleep(0.5)  # longer than the lease, which is renewed meanwhile
            assert await queue(database).leases.free_left() == 0


async def test_an_earlier_attempt_of_the_same_bot_can_end_nothing(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as database:
        conversation = await ConversationTable(database).current(chat())
        outcome = Outcome(conversation=conversation, messages=(said("answer"),))
        before, now = queue(database), queue(database)
        first = await begun(before, message("1"))
        assert await now.recover() == 1
        again = await claim(now)
        await before.finish(first.id, outcome)
        assert await ConversationTable(database).page(conversation) == []
        await now.finish(again.id, outcome)
        assert len(await ConversationTable(database).page(conversation)) == 1


async def test_a_turn_that_somebody_is_just_taking_is_not_overtaken(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as one, connected(settings) as two:
        turns = queue(two)
        await accept(turns, *map(message, "ab"))
        taken, done = asyncio.Event(), asyncio.Event()

        async def take(connection: Connection) -> None:
            await claims.claim(connection, "one", 30)
            taken.set()
            await done.wait()

        taking = one.write(take)
        await taken.wait()
        assert await turns.claim() is None
        done.set()
        await taking
        assert await turns.claim() is None


async def test_a_clock_that_jumps_ahead_takes_no_turn_from_who_works_on_it(
    settings: StorageSettings,
) -> None:
    async with connected(settings) as database, present(settings, "one"):
        one, two = queue(database, "one"), queue(database, "two")
        turn = await begun(one, message("1"))
        for _ in range(3):  # every lease is over again and again, but there are signs of life
            await expire(database)
            assert await two.leases.free_left() == 0
            await one.leases.renew()
        await expire(database)
        await one.finish(turn.id, Outcome())
        assert await two.leases.free_left() == 0
        assert await two.claim() is None


async def test_a_sign_of_life_at_the_last_moment_keeps_a_turn(
    settings: StorageSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(settings) as database:
        one, two = queue(database, "one"), queue(database, "two")
        await accept(one, message("1"))
        assert await one.claim() is not None
        assert await two.leases.free_left() == 0
        look = holds.left

        async def look_in_time(connection: Connection) -> dict[int, datetime]:
            found = await look(connection)
            await one.leases.renew()
            return found

        monkeypatch.setattr(holds, "left", look_in_time)
        assert await two.leases.free_left() == 0


async def test_what_one_bot_takes_in_wakes_the_other(settings: StorageSettings) -> None:
    woken = asyncio.Event()
    # Another process, as the database sees it: its notices are signed with another name.
    foreign = sa.text("SELECT pg_notify('chinwag_turns', 'elsewhere:1')")
    async with connected(settings) as database, open_store(settings) as stores:
        stores.turns.listen(woken.set, lambda _: None, lambda *_: None)
        async with asyncio.timeout(PATIENCE):
            await database.write(lambda connection: connection.execute(foreign))
            await woken.wait()
        woken.clear()
        await begun(stores.turns, message("1"))
        assert not woken.is_set()  # of its own it need not be told


async def test_who_writes_is_told_of_nothing_that_was_deleted_but_what_it_answers(
    settings: StorageSettings,
) -> None:
    stopped = asyncio.Queue[Collection[int]]()
    async with connected(settings) as database, open_store(settings) as stores:
        stores.turns.listen(
            lambda: None, lambda _: None, lambda _, turn_ids: stopped.put_nowait(turn_ids)
        )
        answered, waits = numbered(1), numbered(2)
        turn = await begun(stores.turns, answered, waits)
        other = queue(database, "other")
        await other.withdraw(gone(waits))
        await other.withdraw(gone(answered))
        async with asyncio.timeout(PATIENCE):
            assert await stopped.get() == [turn.id]
