"""Forgetting: afterwards nothing of it is in any table, nor in the bytes of the SQLite file."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.core.chat import ImagePart, NewMessage, Role, TextPart
from bot.core.limits.calendar import Calendar
from bot.core.models import UsageEntry, UsageKind
from bot.core.queue import Outcome
from bot.core.settings import ChatSettings
from bot.core.stores import Action, Rating, Stores
from bot.core.summaries import Summary
from bot.core.types import ChatRef, IncomingMessage, OutgoingFile, Person, Sender, UserId
from bot.store import StorageSettings, admin, open_store
from bot.store.database import connected
from bot.store.drivers.connection import Connection
from bot.store.schema import metadata, turns, usage
from tests.store.events import ANN, accept, begun, chat, claim, message, ref, said
from tests.store.steps import counting_steps, multiply

BOB = Sender(UserId("8"), "Bob", "en")
WORD = "xylophone"
"""Stands in everything that Ann says, chooses and is answered."""
LAST = 1_000_000
"""Stands for the turn that asks: all others came before it."""
COST = UsageEntry(kind=UsageKind.CHAT, model="m", prompt_tokens=5)


async def exchange(stores: Stores, where: ChatRef, sender: Sender, word: str, key: str) -> None:
    """Somebody asks, with a picture, and is answered; it is summed up and has a title."""
    await stores.users.seen("test", sender)
    event = replace(message(key, where.id, word), sender=sender)
    turn = await begun(stores.turns, event)
    await stores.turns.checkpoint(turn.id, partial=word, shown=())
    conversation = await stores.conversations.current(where)
    asked = NewMessage(
        role=Role.USER,
        parts=(TextPart(word * 30), ImagePart("image/png", word.encode() * 400)),
        sender_id=sender.id,
        sender_name=sender.name,
    )
    said = NewMessage(role=Role.ASSISTANT, parts=(TextPart(f"you said {word}"),), model="m")
    outcome = Outcome(conversation=conversation, messages=(asked, said), usage=(COST,))
    await stores.turns.finish(turn.id, outcome)
    page = await stores.conversations.page(conversation)
    await stores.archive.entitle(conversation, f"about {word}", of=page, asker=sender.id)
    summary = Summary(text=f"they said {word}", through=page[-1].id)
    await stores.summaries.keep(conversation, summary, of=page, asker=sender.id, usage=())
    await stores.settings.change(where, lambda _: ChatSettings(system_prompt=f"be a {word}"))
    await stores.actions.offer(where, [Action(name="a", argument=word, owner=sender.id)])
    opinion = Rating(chat=where, user=sender.id, turn_id=turn.id, model=f"m of {word}", good=True)
    await stores.ratings.rate(opinion)
    remark = replace(message(f"{key}-remark", where.id, word), sender=sender)
    await stores.overheard.note(remark, keep=10)


async def select_all(table: sa.Table, connection: Connection) -> sa.CursorResult[Any]:
    return await connection.execute(sa.select(table))


async def everything(settings: StorageSettings) -> str:
    """All rows of all tables, as one text."""
    found: list[str] = []
    async with connected(settings) as database:
        for table in metadata.sorted_tables:
            rows = await database.read(partial(select_all, table))
            found.extend(f"{table.name}: {row}" for row in rows.all())
    return "\n".join(found)


async def test_a_forgotten_chat_is_in_no_table_and_the_others_stay(
    settings: StorageSettings,
) -> None:
    async with open_store(settings) as stores:
        await exchange(stores, chat("hers"), ANN, WORD, "1")
        await exchange(stores, chat("his"), BOB, "trombone", "2")
        assert WORD in await everything(settings)
        await stores.privacy.forget_chats("test", [chat("hers").id])
        left = await everything(settings)
        assert WORD not in left and "hers" not in left
        for kept in ("about trombone", "be a trombone", "you said trombone"):
            assert kept in left
        assert not (await stores.turns.accept(message("1", "hers"), urgent=False)).fresh


async def test_of_a_forgotten_person_nothing_is_left_anywhere(settings: StorageSettings) -> None:
    async with open_store(settings) as stores:
        await exchange(stores, chat("hers"), ANN, WORD, "1")
        await exchange(stores, chat("both"), BOB, "trombone", "2")
        await exchange(stores, chat("both"), ANN, WORD, "3")
        await stores.settings.change(chat("both"), lambda _: ChatSettings(model="ours"))
        await stores.privacy.forget_person(Person("test", ANN.id), by=LAST)
        left = await everything(settings)
        assert WORD not in left and "'Ann'" not in left and "hers" not in left
        page = await stores.conversations.page(await stores.conversations.current(chat("both")))
        assert [kept.message.sender_name for kept in page] == ["Bob", ""]
        assert (await stores.settings.load(chat("both"))).model == "ours"
        assert [each.text for each in await stores.overheard.remarks(chat("both"))] == ["trombone"]


async def test_what_was_used_stays_counted_and_loses_its_name_with_the_month(
    settings: StorageSettings,
) -> None:
    now = [datetime.now(UTC)]
    calendar = Calendar(now=lambda: now[0])

    async def counted() -> list[tuple[str, int]]:
        query = sa.select(usage.c.user_id, usage.c.prompt_tokens).order_by(usage.c.id)
        async with connected(settings) as database:
            rows = await database.read(lambda connection: connection.execute(query))
            return [(row.user_id, row.prompt_tokens) for row in rows.all()]

    async with open_store(settings, calendar=calendar) as stores:
        await exchange(stores, chat(), ANN, WORD, "1")
        await exchange(stores, chat(), ANN, WORD, "2")
        async with connected(settings) as database:
            first = sa.select(sa.func.min(usage.c.id)).scalar_subquery()
            old = sa.update(usage).where(usage.c.id == first)
            long_ago = old.values(created_at=datetime(2020, 1, 1, tzinfo=UTC))
            await database.write(lambda connection: connection.execute(long_ago))
        await stores.privacy.forget_person(Person("test", ANN.id), by=LAST)
        assert await counted() == [("", 5), (ANN.id, 5)]
        now[0] += timedelta(days=32)
        await exchange(stores, chat(), BOB, "trombone", "3")
        await stores.privacy.tidy()
        assert await counted() == [("", 5), ("", 5), (BOB.id, 5)]
        assert f"'{ANN.id}'" not in await everything(settings)


async def test_the_turn_that_forgets_is_forgotten_too(settings: StorageSettings) -> None:
    async with open_store(settings) as stores:
        turn = await begun(stores.turns, message("1", "hers", f"/forget {WORD}"))
        await stores.privacy.forget_chats("test", [chat("hers").id])
        await stores.turns.finish(turn.id, Outcome(scrub=True), stood=ref(2, "hers"))
        left = await everything(settings)
        assert WORD not in left and "hers" not in left
    async with connected(settings) as database:
        rows = await database.read(lambda connection: connection.execute(sa.select(turns)))
        assert [row.state for row in rows.all()] == ["done"]


@pytest.mark.parametrize("ending", ["answered", "given up"])
async def test_of_what_is_being_answered_when_its_person_is_forgotten_nothing_is_left(
    settings: StorageSettings, ending: str
) -> None:
    outcome = Outcome(messages=(said(f"you said {WORD}", Role.ASSISTANT),), usage=(COST,))
    async with open_store(settings) as stores:
        for key in ("runs", "joins it", "waits"):
            await accept(stores.turns, message(key, "hers", WORD))
        turn = await claim(stores.turns)
        await stores.turns.join(turn.id, [turn.id + 1], ())
        made = OutgoingFile(name=f"{WORD}.txt", mime="text/plain", content=b"x")
        await stores.turns.note(turn.id, WORD, [made])
        await stores.privacy.forget_person(Person("test", ANN.id), by=LAST)
        await stores.users.seen("test", ANN)  # who asked is noted when the answer is there
        await stores.actions.offer(chat("hers"), [Action(name="a", owner=ANN.id)])
        if ending == "answered":
            await stores.turns.finish(turn.id, outcome, stood=ref(2, "hers"))
        else:
            await stores.turns.fail(turn.id, "it broke", dead=True, stood=ref(2, "hers"))
        while (later := await stores.turns.claim()) is not None:
            await stores.turns.finish(later.id, outcome)
        left = await everything(settings)
    assert WORD not in left and "hers" not in left and "'Ann'" not in left
    assert "turn_files" not in left and "actions" not in left
    assert f"'-', '{ANN.id}'" in left  # what it cost counts until the month is over
    assert (await admin.status(settings)).dead == 0


async def test_what_is_said_after_asking_to_be_forgotten_is_kept(stores: Stores) -> None:
    for key, word in (("before", WORD), ("forget", "/forget me yes"), ("after", "trombone")):
        accepted = await stores.turns.accept(message(key, "hers", word), urgent=False)
        if key == "forget":
            by = accepted.turn_id
    before = await claim(stores.turns)
    await stores.privacy.forget_person(Person("test", ANN.id), by=by)
    await stores.turns.finish(before.id, Outcome(messages=(said(WORD),)))
    while (turn := await stores.turns.claim()) is not None:
        assert isinstance(turn.event, IncomingMessage)
        await stores.turns.finish(turn.id, Outcome(messages=(said(turn.event.text),)))
    page = await stores.conversations.page(await stores.conversations.current(chat("hers")))
    assert [kept.message.text for kept in page] == ["/forget me yes", "trombone"]


async def test_the_bytes_of_the_file_do_not_hold_it_either(
    tmp_path: Path, sqlite_template: Path
) -> None:
    settings = StorageSettings(url=f"sqlite:///{shutil.copy(sqlite_template, tmp_path)}")
    file = settings.sqlite_file
    assert file is not None
    async with open_store(settings) as stores:
        for number in range(20):
            await exchange(stores, chat(f"hers {number}"), ANN, WORD, str(number))
        await exchange(stores, chat("his"), BOB, "trombone", "b")
        assert WORD in await asyncio.to_thread(text_of, file)
        await stores.privacy.forget_person(Person("test", ANN.id), by=LAST)
        left = await asyncio.to_thread(text_of, file)
        assert "trombone" in left
        assert WORD not in left


async def test_nor_do_they_once_what_was_being_answered_meanwhile_has_ended(
    tmp_path: Path, sqlite_template: Path
) -> None:
    settings = StorageSettings(url=f"sqlite:///{shutil.copy(sqlite_template, tmp_path)}")
    file = settings.sqlite_file
    assert file is not None
    async with open_store(settings) as stores:
        turn = await begun(stores.turns, message("1", "hers", WORD))
        await stores.privacy.forget_person(Person("test", ANN.id), by=LAST)
        await stores.turns.checkpoint(turn.id, partial=f"you said {WORD}", shown=())
        await stores.turns.finish(turn.id, Outcome(messages=(said(WORD),)))
        assert WORD not in await asyncio.to_thread(text_of, file)


def text_of(file: Path) -> str:
    """The bytes of the database and of what lies beside it."""
    beside = [file, *file.parent.glob(f"{file.name}-*")]
    return "".join(each.read_bytes().decode("latin-1") for each in beside)


async def test_forgetting_somebody_costs_the_same_however_much_others_have_said(
    tmp_path: Path,
) -> None:
    """Nobody else can write meanwhile."""
    file, costs = tmp_path / "store.db", []
    with counting_steps() as steps:
        async with open_store(StorageSettings(url=f"sqlite:///{file}")) as stores:
            await exchange(stores, chat("his"), BOB, "trombone", "his")
            for number in (0, 3_000):
                for table in ("messages", "turns", "usage") if number else ():
                    multiply(file, table, f"{table}.id = 1", number)
                await exchange(stores, chat("hers"), ANN, WORD, f"hers {number}")
                before = steps()
                await stores.privacy.forget_person(Person("test", ANN.id), by=LAST)
                costs.append(steps() - before)
    assert costs[1] < 2 * costs[0], costs


async def test_many_chats_are_forgotten_together(tmp_path: Path) -> None:
    """Each thread is one, and nobody else can write meanwhile."""
    costs = []
    with counting_steps() as steps:
        async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/store.db")) as stores:
            await stores.actions.offer(chat("his"), [Action(name="a")] * 5_000)
            for count in (1, 30):
                for number in range(count):
                    await stores.overheard.note(message(f"{count} {number}", f"{number}"), keep=9)
                before = steps()
                await stores.privacy.forget_person(Person("test", ANN.id), by=LAST)
                costs.append(steps() - before)
    assert costs[1] < 2 * costs[0], costs
