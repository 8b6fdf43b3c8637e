"""Broadcasts, grants, people and counts, as the database keeps them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa

from bot.core.broadcasts import Delivered, Progress
from bot.core.models import UsageEntry, UsageKind
from bot.core.queue import Outcome
from bot.core.stores import Stores
from bot.core.types import Person, Sender, UserId
from bot.store import StorageSettings
from bot.store.columns import utc_now
from bot.store.database import connected
from bot.store.drivers.connection import Connection
from bot.store.schema import users
from tests.store.events import ANN, accept, begun, chat, claim, message, ref, said

BOSS = Person("test", UserId("boss"))


async def test_every_chat_is_tried_once_however_many_ask(stores: Stores) -> None:
    broadcasts = stores.broadcasts
    chats = [chat(f"c{number}") for number in range(7)]
    number = await broadcasts.draft("news", BOSS)
    assert await broadcasts.next(number) is None  # not begun
    assert await broadcasts.start(number, chats) == "news"
    assert await broadcasts.start(number, [*chats, chat("late")]) == "news"  # begun already
    found = await asyncio.gather(*(broadcasts.next(number) for _ in range(9)))
    assert sorted(each.id for each in found if each) == sorted(each.id for each in chats)
    assert found.count(None) == 2
    await broadcasts.mark(number, chats[0], Delivered.SENT)
    await broadcasts.mark(number, chats[1], Delivered.GONE)
    await broadcasts.mark(number, chats[2], Delivered.FAILED)
    assert await broadcasts.progress(number) == Progress(unknown=4, sent=1, gone=1, failed=1)


async def test_a_stopped_broadcast_goes_no_further(stores: Stores) -> None:
    broadcasts = stores.broadcasts
    number, never = await broadcasts.draft("news", BOSS), await broadcasts.draft("no", BOSS)
    await broadcasts.stop(never)
    assert await broadcasts.start(never, [chat()]) is None
    assert await broadcasts.start(number + 100, [chat()]) is None
    await broadcasts.start(number, [chat("a"), chat("b")])
    assert await broadcasts.next(number) is not None
    await broadcasts.stop(number)
    assert await broadcasts.next(number) is None
    assert await broadcasts.progress(number) == Progress(waiting=1, unknown=1)


async def test_what_the_latest_broadcasts_left_in_a_chat_is_known(stores: Stores) -> None:
    broadcasts = stores.broadcasts
    for posted in (1, 2):
        number = await broadcasts.draft("news", BOSS)
        await broadcasts.start(number, [chat("a"), chat("b")])
        await broadcasts.mark(number, chat("a"), Delivered.SENT, ref(posted, "a"))
        await broadcasts.mark(number, chat("b"), Delivered.FAILED)
    assert await broadcasts.posted(chat("a")) == [ref(1, "a"), ref(2, "a")]
    assert await broadcasts.posted(chat("b")) == []


async def test_it_goes_to_every_chat_with_a_conversation_and_knows_who_speaks_there(
    stores: Stores,
) -> None:
    await stores.conversations.current(chat("a"))
    await stores.conversations.current(chat("b"))
    await stores.conversations.begin(chat("b"))
    turn = await begun(stores.turns, message("question", "c"))
    asked = replace(said("hello"), sender_id=ANN.id)
    conversation = await stores.conversations.current(chat("c"))
    await stores.turns.finish(turn.id, Outcome(conversation=conversation, messages=(asked,)))
    await stores.conversations.begin(chat("c"))
    found = await stores.broadcasts.chats()
    assert {each.id: list(people) for each, people in found.items()} == {
        "a": [],
        "b": [],
        "c": [ANN.id],
    }


async def test_the_last_decision_about_somebody_holds(stores: Stores) -> None:
    await stores.grants.put("test:1", allowed=True, by="test:boss")
    await stores.grants.put("test:2", allowed=True, by="test:boss")
    await stores.grants.put("test:1", allowed=False, by="test:boss")
    assert await stores.grants.all() == {"test:1": False, "test:2": True}


async def test_people_are_found_by_id_by_name_and_by_when_they_spoke(
    stores: Stores, settings: StorageSettings
) -> None:
    for id, name, ago in (("1", "Ann", 90), ("2", "Bob", 60), ("3", "ann", 30)):
        await stores.users.seen("test", Sender(UserId(id), name))
        earlier = sa.update(users).where(users.c.id == id).values(last_seen=utc_now(-ago))
        async with connected(settings) as database:
            await database.write(partial(_execute, earlier))
    await stores.users.seen("test", Sender(UserId("1"), "Ann"))
    recent = await stores.users.recent()
    assert [each.person.id for each in recent] == ["1", "3", "2"]
    assert [each.person.id for each in await stores.users.recent(offset=1, limit=1)] == ["3"]
    assert await stores.users.count() == 3
    assert {each.person.id for each in await stores.users.called("test", "ANN")} == {"1", "3"}
    assert await stores.users.called("other", "Ann") == []
    for id, name in (("4", "Иван"), ("5", "Zoë"), ("6", "Strauß")):
        await stores.users.seen("test", Sender(UserId(id), name))
        for typed in (name, name.lower(), name.upper()):
            assert [each.person.id for each in await stores.users.called("test", typed)] == [id]
    bob = await stores.users.find(Person("test", UserId("2")))
    assert bob is not None
    assert bob.name == "Bob"
    assert await stores.users.find(Person("test", UserId("9"))) is None


async def _execute(statement: sa.Update, connection: Connection) -> None:
    await connection.execute(statement)


async def test_what_there_is_is_counted(stores: Stores) -> None:
    since = datetime.now(UTC) - timedelta(hours=1)
    await stores.users.seen("test", ANN)
    await stores.conversations.current(chat())
    for key, end in (("a", "done"), ("b", "dead"), ("c", "running"), ("d", "waiting")):
        await accept(stores.turns, message(key, key))
        if end == "waiting":
            continue
        turn = await claim(stores.turns)
        if end == "done":
            entry = UsageEntry(kind=UsageKind.CHAT, model="m", latency=2.5, first_token=0.5)
            await stores.turns.finish(turn.id, Outcome(usage=(entry,)))
        elif end == "dead":
            await stores.turns.fail(turn.id, "no", dead=True)
    found = await stores.statistics.activity(since)
    assert (found.people, found.people_since, found.chats) == (1, 1, 1)
    assert (found.waiting, found.running, found.done, found.dead) == (1, 1, 1, 1)
    later = await stores.statistics.activity(datetime.now(UTC) + timedelta(hours=1))
    assert (later.people, later.people_since, later.done, later.dead) == (1, 0, 0, 0)
    [timing] = await stores.statistics.timings(since)
    assert (timing.latency, timing.first_token) == (2.5, 0.5)
