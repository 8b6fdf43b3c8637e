"""Messages that are one too many, in both databases: who is told, and when a line has gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.clock import SystemClock
from bot.core.queue import Outcome, Turn, Withdrawn
from bot.core.stores import Stores
from bot.core.types import IncomingMessage, Sender, UserId, Withdrawal
from bot.store import StorageSettings
from bot.store.schema import turns
from tests.store.aging import age
from tests.store.events import accept, begun, claim, message, numbered, ref

BOB = Sender(UserId("8"), "Bob")


@pytest.fixture
async def full(stores: Stores) -> Stores:
    """In the chat one message is being answered, and one waits; let no more be allowed."""
    await begun(stores.turns, numbered(1), numbered(2))
    return stores


async def told(stores: Stores, *messages: IncomingMessage) -> list[bool]:
    """Decline messages; whether the sender of each is to be told."""
    return [(await stores.turns.decline(message)).fresh for message in messages]


async def say(stores: Stores) -> Turn:
    """Tell somebody."""
    turn = await claim(stores.turns)
    assert isinstance(turn.event, IncomingMessage) and turn.event.declined
    await stores.turns.checkpoint(turn.id, partial="", shown=[ref(90)])
    return turn


def deletion(message: IncomingMessage) -> Withdrawal:
    return Withdrawal(key=message.key, ref=message.ref, age=5.0)


async def test_everybody_is_told_once_until_something_is_taken_in_again(full: Stores) -> None:
    mine = [numbered(number) for number in range(3, 9)]
    his = [replace(numbered(number), sender=BOB) for number in range(9, 11)]
    assert await told(full, mine[0], his[0], mine[1], his[1]) == [True, True, False, False]
    assert await told(full, mine[1]) == [False]  # delivered again
    for _ in range(2):
        await full.turns.finish((await say(full)).id, Outcome())
    assert await told(full, mine[2]) == [False]
    assert await full.turns.claim() is None
    await full.turns.finish(1, Outcome())
    await claim(full.turns)
    await accept(full.turns, mine[3])
    assert await told(full, *mine[4:]) == [True, False]


async def test_who_is_left_out_is_not_told_again_when_others_are_taken_in(full: Stores) -> None:
    mine = [numbered(number) for number in range(3, 6)]
    assert await told(full, mine[0]) == [True]
    await accept(full.turns, replace(numbered(6), sender=BOB))
    assert await told(full, mine[1]) == [False]
    await full.turns.finish(1, Outcome())
    assert (await claim(full.turns)).urgent  # it tells
    await claim(full.turns)
    await full.turns.finish(2, Outcome())
    assert await told(full, mine[2]) == [True]  # nothing waits any more that did so at the first


async def test_neither_a_quick_command_nor_another_chat_changes_who_is_told(full: Stores) -> None:
    await full.turns.accept(numbered(3, "/help"), urgent=True)
    await full.turns.finish((await claim(full.turns)).id, Outcome())
    assert await told(full, numbered(4), message("there", "other")) == [True, True]
    await accept(full.turns, message("taken in there", "other"))
    assert await told(full, numbered(5)) == [False]


async def test_what_could_not_be_said_is_no_word_for_what_comes_after(full: Stores) -> None:
    await told(full, numbered(3))
    await full.turns.fail((await claim(full.turns)).id, "no platform", dead=True)
    assert await told(full, numbered(4)) == [True]


async def test_a_line_is_deleted_with_the_last_message_that_it_is_about(full: Stores) -> None:
    first, second = numbered(3, "secret"), numbered(4)
    await told(full, first, second)
    await full.turns.finish((await say(full)).id, Outcome())
    assert (await full.turns.withdraw(deletion(first))).shown == ()
    assert (await full.turns.withdraw(deletion(first))).shown == ()
    assert await told(full, third := numbered(5)) == [False]
    assert (await full.turns.withdraw(deletion(second))).shown == ()
    assert (await full.turns.withdraw(deletion(third))).shown == (ref(90),)
    assert await told(full, numbered(6)) == [True]


async def test_nobody_is_told_when_all_was_deleted_before(full: Stores) -> None:
    first, second = numbered(3), numbered(4)
    await told(full, first, second)
    assert (await full.turns.withdraw(deletion(first))).ended == ()
    assert len((await full.turns.withdraw(deletion(second))).ended) == 1
    assert await full.turns.claim() is None
    assert await told(full, numbered(5)) == [True]


async def test_while_a_line_is_posted_it_is_seen_that_it_is_not_needed(full: Stores) -> None:
    first, second = numbered(3), numbered(4)
    await told(full, first, second)
    turn = await claim(full.turns)
    await full.turns.withdraw(deletion(first))
    assert not await full.turns.is_withdrawn(turn.id)
    await full.turns.withdraw(deletion(second))
    assert await told(full, numbered(5)) == [True]
    assert await full.turns.is_withdrawn(turn.id)
    assert await full.turns.dissolve(turn.id)
    assert (await claim(full.turns)).event.key == "m5"


async def test_a_line_that_was_not_needed_any_more_is_no_word_for_what_comes_after(
    full: Stores,
) -> None:
    await told(full, first := numbered(3))
    turn = await say(full)
    await full.turns.withdraw(deletion(first))
    assert await full.turns.dissolve(turn.id)
    assert await told(full, numbered(4), numbered(5)) == [True, False]


async def test_a_message_is_deleted_of_whose_line_nothing_is_known_any_more(
    full: Stores, settings: StorageSettings
) -> None:
    first, second = numbered(3), numbered(4)
    await told(full, first)
    await full.turns.finish((await say(full)).id, Outcome())
    await age(settings, timedelta(days=31), turns)
    await told(full, second)
    await full.upkeep.purge(SystemClock(), rest=0)
    assert await full.turns.withdraw(deletion(second)) == Withdrawn()
    assert await told(full, numbered(5)) == [True]
