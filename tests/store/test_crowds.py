"""Many chats at once: what is done for all together is done for each as if it were alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa

from bot.core.queue import Accepted, Outcome, Turn
from bot.core.settings import ChatSettings
from bot.core.stores import History, Stores
from bot.core.summaries import Summary
from bot.core.types import Event
from bot.errors import QueueFull, StoreError, TurnLost
from bot.store import StorageSettings, open_store
from bot.store.database import connected
from bot.store.schema import messages
from tests.store.events import ANN, chat, claim, message, ref, said

CROWD = 150


async def offered(stores: Stores, events: Sequence[Event]) -> list[Accepted | BaseException]:
    """What becomes of events that all come in the same moment, and may be begun."""
    offers = (stores.turns.accept(event, urgent=False, begin=True) for event in events)
    return await asyncio.gather(*offers, return_exceptions=True)


async def begun(stores: Stores, names: Sequence[str]) -> list[Turn]:
    accepted = await offered(stores, [message(name, name) for name in names])
    return [one.turn for one in accepted if isinstance(one, Accepted) and one.turn is not None]


async def test_every_chat_of_a_crowd_begins_with_its_own_settings_and_place(
    stores: Stores,
) -> None:
    names = [f"chat {number}" for number in range(CROWD)]
    for number, name in enumerate(names[::3]):
        await stores.settings.change(chat(name), partial(replace, model=name))
        [turn] = await begun(stores, [name])
        await stores.turns.finish(turn.id, Outcome(), stood=ref(number, name))
    accepted = await offered(stores, [message(f"next {name}", name) for name in names])
    for number, (name, one) in enumerate(zip(names, accepted, strict=True)):
        assert isinstance(one, Accepted)
        assert one.turn is not None
        assert (one.turn.chat, one.turn.event.key) == (chat(name), f"next {name}")
        knows = number % 3 == 0
        assert one.turn.settings == (ChatSettings(model=name) if knows else None)
        assert one.turn.stood == (ref(number // 3, name) if knows else None)
    assert await stores.turns.claim() is None


@pytest.mark.parametrize("seed", range(5))
async def test_in_a_crowd_each_chat_keeps_its_order_and_each_key_counts_once(
    stores: Stores, seed: int
) -> None:
    dice = random.Random(seed)
    names = [f"chat {number}" for number in range(12)]
    came = [message(f"{name}-{number}", name) for name in names for number in range(4)]
    dice.shuffle(came)
    again = dice.sample(came, 20)
    accepted = await offered(stores, [*came, *again])
    fresh = [one for one in accepted if isinstance(one, Accepted) and one.fresh]
    assert len(fresh) == len(came)
    running = {one.turn.chat: one.turn for one in fresh if one.turn is not None}
    for name in names:
        expected = [event.key for event in came if event.ref.chat == chat(name)]
        turn: Turn | None = running[chat(name)]
        for key in expected:
            assert turn is not None
            assert turn.event.key == key
            await stores.turns.finish(turn.id, Outcome())
            turn = await stores.turns.claim()
            if key == expected[-1]:
                assert turn is None


async def test_who_is_refused_and_who_cannot_be_stored_take_nobody_along(
    settings: StorageSettings,
) -> None:
    async with open_store(settings, waiting_per_chat=1) as stores:
        unstorable = message("".join(random.Random(1).choices("0123456789abcdef", k=20_000)), "e")
        full = [message(f"full {number}", "full") for number in range(4)]
        crowd = [message(f"{number}", f"chat {number}") for number in range(20)]
        accepted = await offered(stores, [*crowd[:10], unstorable, *full, *crowd[10:]])
    taken = [one for one in accepted if isinstance(one, Accepted)]
    refused = [one for one in accepted if isinstance(one, QueueFull)]
    failed = [one for one in accepted if isinstance(one, StoreError) and one not in refused]
    # PostgreSQL has no room for such a key in an index (its manual, "B-Tree Indexes"); SQLite has.
    assert len(failed) == (0 if settings.sqlite_file is not None else 1)
    assert len(refused) == 2
    assert len(taken) == len(accepted) - len(refused) - len(failed)


async def test_every_chat_of_a_crowd_has_its_own_history_and_a_broken_one_takes_nobody_along(
    settings: StorageSettings,
) -> None:
    names = [f"chat {number}" for number in range(CROWD)]
    async with open_store(settings) as stores:
        for turn in await begun(stores, names[:-1]):  # the last has never said anything
            await stores.turns.finish(turn.id, Outcome(messages=(said(turn.chat.id),)))
        first = await stores.conversations.history(chat(names[0]))
        assert first.conversation is not None
        summary = Summary(text="in short", through=first.newest[0].id)
        await stores.summaries.keep(
            first.conversation, summary, of=first.newest, asker=ANN.id, usage=()
        )
        async with connected(settings) as database:
            broken = messages.c.parts.contains(names[1] + '"')
            breaking = sa.update(messages).where(broken).values(parts="no JSON")
            await database.write(lambda connection: connection.execute(breaking))
        histories = await asyncio.gather(
            *(stores.conversations.history(chat(name)) for name in names), return_exceptions=True
        )
    unread = histories.pop(1)
    assert isinstance(unread, StoreError)
    assert names[1] in str(unread)
    read = [history for history in histories if isinstance(history, History)]
    assert read[0].summary == summary
    assert [history.summary for history in read[1:]] == [None] * (CROWD - 2)
    assert read[-1] == History()
    for name, history in zip([names[0], *names[2:-1]], read[:-1], strict=True):
        assert [kept.message for kept in history.newest] == [said(name)]


async def test_checkpoints_of_a_crowd_are_found_by_the_next_attempt(stores: Stores) -> None:
    turns = await begun(stores, [f"chat {number}" for number in range(CROWD)])
    over, *going = turns
    await stores.turns.finish(over.id, Outcome())
    for words in ("first", "half a pair \ud83d, a NUL \0 and 多谢"):
        results = await asyncio.gather(
            *(
                stores.turns.checkpoint(turn.id, partial=f"{words} {turn.id}", shown=[ref(turn.id)])
                for turn in turns
            ),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [TurnLost] + [type(None)] * len(going)
    for turn in going:
        await stores.turns.fail(turn.id, "killed", dead=False)
    for turn in going:
        again = await claim(stores.turns)
        assert again.id == turn.id
        assert again.partial == f"half a pair \ufffd, a NUL \ufffd and 多谢 {turn.id}"
        assert again.shown == (ref(turn.id),)
    assert await stores.turns.claim() is None  # what is over stays over


async def test_the_last_of_two_checkpoints_made_at_once_counts(stores: Stores) -> None:
    [turn] = await begun(stores, ["home"])
    await asyncio.gather(
        stores.turns.checkpoint(turn.id, partial="so", shown=()),
        stores.turns.checkpoint(turn.id, partial="so far", shown=()),
    )
    await stores.turns.fail(turn.id, "killed", dead=False)
    again = await claim(stores.turns)
    assert again.partial == "so far"
