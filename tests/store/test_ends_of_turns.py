"""How turns end, are given back, fail and are taken up again, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.chat import Role, TextPart
from bot.core.models import UsageEntry, UsageKind
from bot.core.queue import Outcome, Search
from bot.core.stores import Stores
from bot.core.types import (
    IncomingMessage,
    Unreadable,
    Withdrawal,
)
from bot.store import StorageSettings, open_store
from tests.store.aging import age
from tests.store.events import accept, begun, chat, claim, message, numbered, ref, said


async def test_the_end_of_a_turn_keeps_messages_and_usage(stores: Stores) -> None:
    turn = await begun(stores.turns, message("1"))
    conversation = await stores.conversations.current(chat())
    outcome = Outcome(
        conversation=conversation,
        messages=(said("question"), said("answer", Role.ASSISTANT)),
        usage=(UsageEntry(kind=UsageKind.CHAT, model="m"),),
    )
    await stores.turns.finish(turn.id, outcome)
    await stores.turns.finish(turn.id, outcome)
    page = await stores.conversations.page(conversation)
    assert [kept.message.parts for kept in page] == [
        (TextPart("question"),),
        (TextPart("answer"),),
    ]


async def test_what_was_interrupted_can_be_stopped_before_it_goes_on(stores: Stores) -> None:
    turn = await begun(stores.turns, message("1"), message("2"))
    assert not await stores.turns.stop_elsewhere(chat())  # it is answered here
    await stores.turns.checkpoint(turn.id, partial="so far", shown=[ref(5)])
    await stores.turns.release(turn.id)
    assert await stores.turns.stop_elsewhere(chat())
    again = await claim(stores.turns)
    assert (again.id, again.partial, again.stopped) == (turn.id, "so far", True)
    await stores.turns.fail(turn.id, "broken", dead=True)
    assert not await stores.turns.stop_elsewhere(chat())  # the second was never begun
    await stores.turns.revive(turn.id)
    assert not (await claim(stores.turns)).stopped


async def test_a_turn_given_back_goes_on_where_it_was(stores: Stores) -> None:
    turn = await begun(stores.turns, message("1"), message("2"))
    await stores.turns.checkpoint(turn.id, partial="so far", shown=[ref(5), ref(6)])
    await stores.turns.release(turn.id)
    again = await claim(stores.turns)
    assert (again.id, again.attempt) == (turn.id, 1)
    assert (again.partial, again.shown) == ("so far", (ref(5), ref(6)))


async def test_what_failed_before_a_word_can_be_stopped_until_it_is_tried_again(
    stores: Stores,
) -> None:
    turn = await begun(stores.turns, message("1"))
    await stores.turns.fail(turn.id, "no luck", dead=False)
    assert await stores.turns.stop_elsewhere(chat())
    assert (await claim(stores.turns)).stopped


async def test_what_was_written_about_other_words_is_no_beginning(stores: Stores) -> None:
    turn = await begun(stores.turns, numbered(1, "old"))
    await stores.turns.checkpoint(turn.id, partial="About the old", shown=[ref(5)])
    await stores.turns.release(turn.id)
    await stores.turns.stop_elsewhere(chat())
    change = replace(numbered(1, "new"), key="edit", edited=True)
    again = await begun(stores.turns, change)
    assert isinstance(again.event, IncomingMessage)
    assert (again.event.text, again.partial, again.stopped) == ("new", "", False)
    assert again.shown == (ref(5),)  # the new answer is written over it


async def test_a_failed_turn_comes_first_again_with_its_attempt_counted(stores: Stores) -> None:
    turn = await begun(stores.turns, message("1"), message("2"))
    await stores.turns.fail(turn.id, "no luck", dead=False)
    again = await claim(stores.turns)
    assert (again.id, again.attempt) == (turn.id, 2)
    await stores.turns.fail(turn.id, "no luck at all", dead=True)
    assert (await claim(stores.turns)).event.key == "2"


async def test_after_a_restart_what_ran_runs_again_first(settings: StorageSettings) -> None:
    async with open_store(settings) as stores:
        await accept(stores.turns, *map(message, "abc"))
        await stores.turns.finish((await claim(stores.turns)).id, Outcome())
        lost = await claim(stores.turns)
        await stores.turns.checkpoint(lost.id, partial="so f", shown=[ref(3)])
    async with open_store(settings) as stores:
        assert await stores.turns.recover() == 1
        again = await claim(stores.turns)
        assert (again.id, again.attempt, again.partial) == (lost.id, 2, "so f")
        await stores.turns.finish(again.id, Outcome())
        assert (await claim(stores.turns)).event.key == "c"


async def test_recovering_leaves_alone_what_is_being_worked_on(stores: Stores) -> None:
    turn = await begun(stores.turns, message("1"))
    assert await stores.turns.recover() == 0
    await stores.turns.fail(turn.id, "so it was still ours", dead=False)
    assert (await claim(stores.turns)).attempt == 2


async def test_an_event_nobody_can_read_is_kept_but_never_claimed(stores: Stores) -> None:
    event = Unreadable(key="1", platform="test", raw='{"\ud800', reason="not JSON")
    await stores.turns.bury(event)
    await stores.turns.bury(event)
    assert await stores.turns.claim() is None
    assert await stores.turns.recover() == 0


async def test_what_waits_in_a_row_can_end_with_the_first(stores: Stores) -> None:
    lead = await begun(stores.turns, *map(numbered, range(1, 4)))
    row = await stores.turns.following(lead.id)
    assert [turn.event.key for turn in row] == ["m2", "m3"]
    await stores.turns.join(lead.id, [turn.id for turn in row], [ref(9)])
    assert await stores.turns.following(lead.id) == []
    assert ref(9) in await stores.turns.known_messages(lead.id)
    await stores.turns.finish(lead.id, Outcome())
    assert await stores.turns.claim() is None


async def test_a_change_is_taken_in_for_each_message_of_the_row_that_was_answered_last(
    stores: Stores,
) -> None:
    before = await begun(stores.turns, *map(numbered, range(1, 5)))
    await stores.turns.finish(before.id, Outcome())
    lead = await claim(stores.turns)
    row = await stores.turns.following(lead.id)
    await stores.turns.join(lead.id, [turn.id for turn in row], [])
    await stores.turns.finish(lead.id, Outcome())
    for key, number in enumerate((3, 4, 2, 3)):  # what was changed before does not stand in the way
        change = replace(numbered(number, f"new {key}"), key=f"edit{key}", edited=True)
        assert (await stores.turns.accept(change, urgent=False)).fresh
        await stores.turns.finish((await claim(stores.turns)).id, Outcome())
    change = replace(numbered(1, "new"), key="late", edited=True)
    assert not (await stores.turns.accept(change, urgent=False)).fresh


async def test_what_was_joined_to_a_turn_that_is_given_back_waits_by_itself(
    stores: Stores,
) -> None:
    lead = await begun(stores.turns, *map(numbered, range(1, 3)))
    await stores.turns.join(lead.id, [lead.id + 1], [])
    await stores.turns.release(lead.id)
    again = await claim(stores.turns)
    assert again.id == lead.id
    assert [turn.id for turn in await stores.turns.following(lead.id)] == [lead.id + 1]


async def test_who_is_being_answered_in_a_row_stays_there_when_others_are_recovered(
    settings: StorageSettings,
) -> None:
    async with open_store(settings) as stores:
        await begun(stores.turns, message("lost", "elsewhere"))
    async with open_store(settings) as stores:
        lead = await begun(stores.turns, *map(numbered, range(1, 3)))
        await stores.turns.join(lead.id, [lead.id + 1], [])
        assert await stores.turns.recover() == 1
        assert (await claim(stores.turns)).event.key == "lost"
        await stores.turns.finish(lead.id, Outcome())
        assert await stores.turns.claim() is None


async def test_where_a_row_was_given_up_its_lines_are_written_over_by_nobody(
    stores: Stores,
) -> None:
    lead = await begun(stores.turns, *map(numbered, range(1, 3)))
    await stores.turns.announce(lead.id + 1, ref(8))
    await stores.turns.join(lead.id, [lead.id + 1], [ref(8)])
    await stores.turns.fail(lead.id, "no luck", dead=True)
    assert (await claim(stores.turns)).shown == ()


async def test_what_failed_for_what_may_pass_is_tried_again_once_with_all_that_joined_it(
    stores: Stores,
) -> None:
    lead = await begun(stores.turns, *map(numbered, range(1, 4)))
    await stores.turns.join(lead.id, [lead.id + 1, lead.id + 2], [ref(7)])
    await stores.turns.checkpoint(lead.id, partial="what failed", shown=[ref(7)])
    await stores.turns.finish(lead.id, Outcome(passing="server"))
    second = numbered(2)
    await stores.turns.withdraw(Withdrawal(key=second.key, ref=second.ref, age=5.0))
    assert await stores.turns.claim() is None
    assert await stores.turns.failed(chat()) == lead.id
    assert await stores.turns.revive(lead.id)
    assert not await stores.turns.revive(lead.id)
    again = await claim(stores.turns)
    assert (again.id, again.attempt) == (lead.id, 1)
    assert (again.partial, again.shown) == ("", (ref(7),))
    assert [turn.id for turn in await stores.turns.following(lead.id)] == [lead.id + 2]
    await stores.turns.finish(lead.id, Outcome())
    assert not await stores.turns.revive(lead.id)
    assert await stores.turns.failed(chat()) is None


async def test_what_is_asked_to_be_tried_again_waits_from_the_very_end_of_the_asking(
    settings: StorageSettings,
) -> None:
    async with open_store(settings) as stores:
        unheard = await begun(stores.turns, message("1"))
        await stores.turns.finish(unheard.id, Outcome(passing="server"))
        asking = await begun(stores.turns, message("2"))
        # Killed here, it is to find out once more what it is about.
    async with open_store(settings) as stores:
        await stores.turns.recover()
        assert (await claim(stores.turns)).id == asking.id
        assert await stores.turns.failed(chat()) == unheard.id
        await stores.turns.finish(asking.id, Outcome(revived=unheard.id))
        assert (await claim(stores.turns)).id == unheard.id
        assert await stores.turns.failed(chat()) is None


async def test_what_was_answered_with_others_has_not_failed_though_its_own_attempt_had(
    stores: Stores,
) -> None:
    lead = await begun(stores.turns, numbered(1))
    await stores.turns.finish(lead.id, Outcome(passing="server"))
    other = await begun(stores.turns, numbered(2))
    await stores.turns.fail(other.id, "no luck", dead=False)
    await stores.turns.revive(lead.id)
    assert (await claim(stores.turns)).id == lead.id
    await stores.turns.join(lead.id, [other.id], [])
    await stores.turns.finish(lead.id, Outcome())
    assert await stores.turns.failed(chat()) is None


async def test_what_has_failed_is_known_in_its_chat_until_something_is_answered_after_it(
    stores: Stores,
) -> None:
    answered = Outcome(messages=(said("question"), said("answer", Role.ASSISTANT)))
    failed = dict[str, int]()
    for name in ("home", "two", "three"):
        for key, outcome in (("answered", answered), ("failed", Outcome(passing="server"))):
            turn = await begun(stores.turns, message(f"{name} {key}", name))
            await stores.turns.finish(turn.id, outcome)
        failed[name] = turn.id
    again = await begun(stores.turns, message("again", "three"))
    await stores.turns.finish(again.id, answered)
    assert await stores.turns.failed(chat("home")) == failed["home"]
    assert await stores.turns.failed(chat("three")) is None
    assert await stores.turns.revive(failed["home"])
    assert (await claim(stores.turns)).id == failed["home"]
    assert await stores.turns.failed(chat("two")) == failed["two"]


async def test_what_is_forgotten_is_not_tried_again(stores: Stores) -> None:
    turn = await begun(stores.turns, message("1"))
    await stores.turns.finish(turn.id, Outcome(passing="server"))
    await stores.privacy.forget_chats("test", [chat().id])
    assert not await stores.turns.revive(turn.id)


async def test_what_was_given_up_can_be_tried_again_and_takes_nobody_along(
    stores: Stores,
) -> None:
    lead = await begun(stores.turns, *map(numbered, range(1, 4)))
    await stores.turns.fail(lead.id, "no luck", dead=True)
    await stores.turns.finish((await claim(stores.turns)).id, Outcome(), stood=ref(7))
    assert await stores.turns.revive(lead.id)
    assert not await stores.turns.revive(lead.id)
    again = await claim(stores.turns)
    assert (again.id, again.attempt, again.stood) == (lead.id, 1, ref(7))
    assert await stores.turns.following(lead.id) == []  # the third is in no row with it


SEARCH = Search(chat=chat(), after=(ref(1),), keep=(ref(1), ref(2)), before=(ref(4),))


async def test_a_search_that_was_put_off_is_kept_until_it_is_done(stores: Stores) -> None:
    turn = await begun(stores.turns, message("1"))
    await stores.turns.put_off(turn.id, SEARCH)
    assert await stores.turns.searches() == [], "its next attempt looks by itself"
    await stores.turns.finish(turn.id, Outcome())
    assert await stores.turns.searches() == [(turn.id, SEARCH)]
    await stores.turns.searched(turn.id)
    assert await stores.turns.searches() == []


@pytest.mark.parametrize("what", ["is too old", "is forgotten", "is of another chat now"])
async def test_nothing_is_looked_for_when_it(
    stores: Stores, settings: StorageSettings, what: str
) -> None:
    turn = await begun(stores.turns, message("1"))
    await stores.turns.put_off(turn.id, SEARCH)
    await stores.turns.finish(turn.id, Outcome())
    if what == "is too old":
        await age(settings, timedelta(days=2, minutes=1))
    elif what == "is forgotten":
        await stores.privacy.forget_chats("test", [chat().id])
    else:
        await stores.moves.move(chat(), chat("C2"))
    assert await stores.turns.searches() == []
