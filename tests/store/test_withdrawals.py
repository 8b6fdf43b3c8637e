"""A deleted message: afterwards its words are in no table, nor in the bytes of the SQLite file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.core.chat import ImagePart, NewMessage, Role, TextPart
from bot.core.limits.calendar import Period
from bot.core.queue import Outcome, Turn, Withdrawn
from bot.core.stores import Action, Stores
from bot.core.summaries import Summary
from bot.core.types import IncomingMessage, MessageRef, OutgoingFile, Withdrawal
from bot.store import StorageSettings, open_store
from bot.store.queue.withdrawals import AWAITED
from tests.store.events import ANN, accept, begun, chat, claim, numbered, ref
from tests.store.test_privacy import COST, everything

WORD = "xylophone"


def gone(message: IncomingMessage, age: float = 5.0) -> Withdrawal:
    return Withdrawal(key=message.key, ref=message.ref, age=age)


def asked(*messages: IncomingMessage, picture: bytes = b"") -> NewMessage:
    """The question as it is kept when these were answered as one."""
    text, lines = "\n".join(each.text for each in messages), list[tuple[int, int]]()
    for each in messages:
        begin = lines[-1][1] + 1 if lines else 0
        lines.append((begin, begin + len(each.text)))
    words = TextPart(text, lines=tuple(lines) if len(lines) > 1 else ())
    parts = (words, ImagePart("image/png", picture)) if picture else (words,)
    shown = tuple(each.ref for each in messages)
    return NewMessage(role=Role.USER, parts=parts, sender_id=ANN.id, shown=shown)


def answer(text: str) -> NewMessage:
    return NewMessage(role=Role.ASSISTANT, parts=(TextPart(text),), model="m")


async def finish(stores: Stores, turn: Turn, *said: NewMessage) -> None:
    await stores.turns.finish(turn.id, Outcome(messages=said))


async def history(stores: Stores) -> list[str]:
    found = await stores.conversations.history(chat())
    return [kept.message.text for kept in found.newest]


async def ask_about(stores: Stores, message: IncomingMessage) -> None:
    """A question with a picture, its answer with a button, a title and a summary of both."""
    turn = await begun(stores.turns, message)
    await stores.turns.checkpoint(turn.id, partial=f"so {message.text}", shown=[ref(90)])
    button = Action(name="image.again", argument=message.text, owner=ANN.id)
    await stores.actions.offer(chat(), [button])
    question = asked(message, picture=message.text.encode() * 400)
    await finish(stores, turn, question, answer(f"you said {message.text}"))
    conversation = await stores.conversations.current(chat())
    page = await stores.conversations.page(conversation)
    await stores.archive.entitle(conversation, f"about {message.text}", of=page, asker=ANN.id)
    summary = Summary(text=f"they said {message.text}", through=page[-1].id)
    await stores.summaries.keep(conversation, summary, of=page, asker=ANN.id, usage=())


async def test_of_a_picture_that_was_drawn_and_not_delivered_nothing_is_left(
    settings: StorageSettings,
) -> None:
    order = numbered(1, "/image")
    drawn = OutgoingFile(name="picture.png", mime="image/png", content=WORD.encode() * 400)
    async with open_store(settings) as stores:
        turn = await begun(stores.turns, order)
        await stores.turns.note(turn.id, f"this was drawn: a {WORD}", [drawn])
        await stores.turns.release(turn.id)
        assert WORD in await everything(settings)
        await stores.turns.withdraw(gone(order))
        assert not await stores.turns.made(turn.id)
    assert WORD not in await everything(settings)


async def test_the_button_of_an_answer_to_several_works_without_the_first_of_them(
    stores: Stores,
) -> None:
    messages = numbered(1), numbered(2)
    lead = await begun(stores.turns, *messages)
    await stores.turns.join(lead.id, [lead.id + 1], [])
    action = Action(name="answer.regenerate", argument=str(lead.id), owner=ANN.id)
    [button] = await stores.actions.offer(chat(), [action])
    await finish(stores, lead, asked(*messages), answer("both"))
    await stores.turns.withdraw(gone(messages[0]))
    assert await stores.actions.find(chat(), button) == action


async def test_of_a_question_nothing_is_left_and_the_others_stay(
    settings: StorageSettings,
) -> None:
    secret = numbered(1, WORD)
    async with open_store(settings) as stores:
        await ask_about(stores, secret)
        await ask_about(stores, numbered(2, "trombone"))
        change = replace(numbered(1, f"{WORD}!"), key="edit", edited=True)
        assert not (await stores.turns.accept(change, urgent=False)).fresh  # it is an older one
        assert WORD in await everything(settings)
        done = await stores.turns.withdraw(gone(secret))
        assert (done.ended, done.interrupted, done.erased) == ((), (), True)
        left = await everything(settings)
        assert WORD not in left
        assert await history(stores) == ["trombone", "you said trombone"]
        assert await stores.turns.withdraw(gone(secret)) == Withdrawn()
        assert not (await stores.turns.accept(secret, urgent=False)).fresh
        late = replace(change, key="late")
        assert not (await stores.turns.accept(late, urgent=False)).fresh
        assert await stores.turns.claim() is None
    if settings.sqlite_file is not None:
        for file in sorted(settings.sqlite_file.parent.glob("store.db*")):
            assert WORD.encode() not in file.read_bytes()


async def test_a_question_whose_turn_was_purged_is_found_all_the_same(stores: Stores) -> None:
    secret = numbered(1, WORD)
    await ask_about(stores, replace(secret, ref=ref(3)))
    done = await stores.turns.withdraw(Withdrawal(key="another", ref=ref(3), age=2 * AWAITED))
    assert done.erased and await history(stores) == []


async def test_what_follows_from_a_first_message_is_a_title_that_is_made_anew(
    stores: Stores,
) -> None:
    first, *others = (numbered(number, f"word {number}") for number in range(1, 5))
    await ask_about(stores, first)
    for each in others:
        await accept(stores.turns, each)
        await finish(stores, await claim(stores.turns), asked(each), answer("yes"))
    conversation = await stores.conversations.current(chat())
    await stores.turns.withdraw(gone(others[-1]))
    assert not await stores.archive.untitled(conversation)
    await stores.turns.withdraw(gone(first))
    assert await stores.archive.untitled(conversation)


async def test_a_title_goes_with_its_message_though_others_were_taken_back_before(
    stores: Stores,
) -> None:
    for number in (1, 2):
        await ask_about(stores, numbered(number, f"word {number}"))
    conversation = await stores.conversations.current(chat())
    page = await stores.conversations.page(conversation)
    turn = await begun(stores.turns, numbered(3, "/undo"))
    await stores.turns.finish(turn.id, Outcome(hidden=tuple(kept.id for kept in page)))
    secret = numbered(4, WORD)
    await ask_about(stores, secret)
    await ask_about(stores, numbered(5, "trombone"))
    await stores.turns.withdraw(gone(secret))
    assert await stores.archive.untitled(conversation)


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_what_is_being_made_of_a_message_when_it_goes_is_not_kept(
    stores: Stores, number: int
) -> None:
    """A model thinks of a title and of a summary for seconds."""
    row = [numbered(number, f"word {number}") for number in (1, 2)]
    lead = await begun(stores.turns, *row)
    await stores.turns.join(lead.id, [lead.id + 1], ())
    await finish(stores, lead, asked(*row), answer("two at once"))
    alone = numbered(3)
    await accept(stores.turns, alone)
    await finish(stores, await claim(stores.turns), asked(alone), answer("three"))
    conversation = await stores.conversations.current(chat())
    page = await stores.conversations.page(conversation)
    earlier = Summary(text="they began", through=page[1].id)
    await stores.summaries.keep(conversation, earlier, of=page[:2], asker=ANN.id, usage=())
    await stores.turns.withdraw(gone([*row, alone][number]))
    later = Summary(text="they went on", through=page[-1].id)
    await stores.summaries.keep(
        conversation, later, of=page[2:], after=earlier, asker=ANN.id, usage=(COST,)
    )
    await stores.archive.entitle(conversation, "counting", of=page, asker=ANN.id, usage=(COST,))
    assert await stores.summaries.latest(conversation) == (earlier if number == 2 else None)
    assert await stores.archive.untitled(conversation)
    [used] = await stores.ledger.totals(None, Period.DAY)
    assert used.requests == 2


async def test_a_message_that_is_not_known_is_not_taken_in_when_it_comes(stores: Stores) -> None:
    late, old = numbered(1, WORD), numbered(2)
    assert await stores.turns.withdraw(gone(late)) == Withdrawn()
    assert await stores.turns.withdraw(gone(old, age=AWAITED)) == Withdrawn()
    assert not await stores.turns.knows("test", late.key)  # nobody began a thread with it
    change = replace(late, key="edit", edited=True)
    for event in (change, late):
        assert not (await stores.turns.accept(event, urgent=False, begin=True)).fresh
    await stores.overheard.note(late, keep=5)
    assert await stores.overheard.remarks(chat()) == []
    assert (await stores.turns.accept(old, urgent=False)).fresh  # no key is kept for ever


async def test_what_waits_is_over_and_gives_its_place_up(stores: Stores) -> None:
    first, second, third = (numbered(number, f"word {number}") for number in range(1, 4))
    turn = await begun(stores.turns, first, second, third)
    assert await stores.turns.announce(turn.id + 1, ref(50))
    done = await stores.turns.withdraw(gone(second))
    assert (done.ended, done.shown) == ((turn.id + 1,), (ref(50),))
    assert await stores.turns.ahead(turn.id + 2) == 1
    # One that was read just before is not joined, and one that is over does not end the row.
    assert list(await stores.turns.join(turn.id, [turn.id + 1], ())) == []
    assert [each.event for each in await stores.turns.following(turn.id)] == [third]


async def row_at_work(stores: Stores) -> tuple[Turn, Sequence[IncomingMessage]]:
    """A turn that answers three messages, with what stands of it in the chat."""
    row = [numbered(number, f"{WORD} {number}") for number in range(1, 4)]
    lead = await begun(stores.turns, *row)
    joined = await stores.turns.join(lead.id, [lead.id + 1, lead.id + 2], [ref(50)])
    assert set(joined) == {lead.id + 1, lead.id + 2}
    await stores.turns.checkpoint(lead.id, partial=f"so {WORD}", shown=[ref(50)])
    return lead, row


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_what_is_left_of_a_row_waits_as_if_nothing_had_been_written(
    stores: Stores, number: int
) -> None:
    lead, row = await row_at_work(stores)
    assert not await stores.turns.is_withdrawn(lead.id)
    done = await stores.turns.withdraw(gone(row[number]))
    assert (done.interrupted, done.shown) == ((lead.id,), ())
    assert done.ended == ((lead.id + number,) if number else ())
    assert await stores.turns.is_withdrawn(lead.id)
    assert await stores.turns.dissolve(lead.id) is (number == 0)
    again = await claim(stores.turns)
    left = [each for each in row if each is not row[number]]
    assert again.event == left[0]
    assert (again.partial, again.shown, again.stopped, again.attempt) == ("", (), False, 1)
    assert not await stores.turns.is_withdrawn(again.id)
    assert [each.event for each in await stores.turns.following(again.id)] == left[1:]


@pytest.mark.parametrize("number", [0, 1, 2])
async def test_a_row_that_is_answered_although_a_part_is_gone_does_not_bring_it_back(
    settings: StorageSettings, number: int
) -> None:
    """It was deleted when the end of the answer was on its way to the chat."""
    async with open_store(settings) as stores:
        lead, row = await row_at_work(stores)
        await stores.turns.withdraw(gone(row[number]))
        await finish(stores, lead, asked(*row), answer("three at once"))
        left = "\n".join(each.text for each in row if each is not row[number])
        assert await history(stores) == [left, "three at once"]
        assert f"{WORD} {number + 1}" not in await everything(settings)
        for each in row:
            await stores.turns.withdraw(gone(each))
        assert await history(stores) == []
        assert WORD not in await everything(settings)


async def test_a_turn_that_fails_for_good_after_its_message_is_gone_stays_over(
    settings: StorageSettings,
) -> None:
    async with open_store(settings) as stores:
        message = numbered(1, WORD)
        turn = await begun(stores.turns, message)
        button = Action(name="image.again", argument=WORD, owner=ANN.id)
        await stores.actions.offer(chat(), [button])
        await stores.turns.withdraw(gone(message))
        await stores.turns.fail(turn.id, "no luck", dead=True)
        assert not await stores.turns.revive(turn.id)
        assert WORD not in await everything(settings)


async def test_a_turn_that_was_given_up_is_over_and_its_mark_goes(stores: Stores) -> None:
    message = numbered(1)
    turn = await begun(stores.turns, message)
    await stores.turns.checkpoint(turn.id, partial="", shown=[ref(50)])
    await stores.turns.fail(turn.id, "no luck", dead=True)
    done = await stores.turns.withdraw(gone(message))
    assert (done.ended, done.shown) == ((turn.id,), (ref(50),))
    assert not await stores.turns.revive(turn.id)


async def test_for_a_command_that_passed_by_nothing_is_stopped(stores: Stores) -> None:
    answered = await begun(stores.turns, numbered(1))
    await stores.turns.accept(numbered(2, "/usage"), urgent=True)
    turn = await claim(stores.turns)
    assert not (await stores.turns.withdraw(gone(numbered(2)))).interrupted
    assert not await stores.turns.is_withdrawn(answered.id)
    await stores.turns.finish(turn.id, Outcome())


async def test_what_waits_to_be_gone_on_with_is_over(settings: StorageSettings) -> None:
    async with open_store(settings) as stores:
        lead, row = await row_at_work(stores)
        await stores.turns.withdraw(gone(row[0]))  # and the process is killed
    async with open_store(settings) as stores:
        await stores.turns.recover()
        again = await claim(stores.turns)
        assert (again.id, again.stopped) == (lead.id, True)
        assert await stores.turns.is_withdrawn(again.id)
        assert await stores.turns.dissolve(again.id)
        assert (await claim(stores.turns)).event == row[1]


async def test_other_chats_and_other_messages_are_let_be(stores: Stores) -> None:
    here, there = numbered(1, "here"), replace(numbered(1, "there"), key="x")
    there = replace(there, ref=MessageRef(chat("elsewhere"), there.ref.id))
    twelfth = numbered(12, "twelfth")
    for each in (here, there, twelfth):
        await accept(stores.turns, each)
        await finish(stores, await claim(stores.turns), asked(each), answer(f"re {each.text}"))
    waits = replace(there, key="y", ref=MessageRef(chat("beyond"), there.ref.id))
    await accept(stores.turns, waits)
    await stores.turns.withdraw(gone(here))
    assert await history(stores) == ["twelfth", "re twelfth"]
    elsewhere = await stores.conversations.history(chat("elsewhere"))
    assert len(elsewhere.newest) == 2
    assert (await claim(stores.turns)).event == waits


async def test_two_that_delete_and_answer_in_the_same_moment_do_not_hinder_each_other(
    stores: Stores,
) -> None:
    for at in range(5):
        row = [numbered(10 * at + number, f"word {number}") for number in range(1, 4)]
        lead = await begun(stores.turns, *row)
        await stores.turns.join(lead.id, [lead.id + 1, lead.id + 2], ())
        said = Outcome(messages=(asked(*row), answer("three at once")))
        await asyncio.gather(
            stores.turns.finish(lead.id, said),
            *(stores.turns.withdraw(gone(each)) for each in reversed(row)),
        )
        assert await history(stores) == []
        assert await stores.turns.claim() is None
