"""The contract of `TurnQueue`, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.core.queue import Accepted, Outcome
from bot.core.settings import ChatSettings
from bot.core.stores import Stores
from bot.core.types import (
    Attachment,
    ChatId,
    ChatRef,
    Event,
    FileId,
    FileKind,
    IncomingMessage,
    OutgoingFile,
    Quote,
    Sender,
    StopPressed,
    UserId,
)
from bot.errors import QueueFull
from bot.store import StorageSettings, open_store
from bot.store.columns import utc_now
from bot.store.database import connected
from bot.store.schema import turns
from tests.store.events import ANN, accept, begun, chat, claim, message, numbered, press, ref


async def test_an_event_comes_back_as_it_went_in(stores: Stores) -> None:
    voice = Attachment(
        id=FileId("f1"), kind=FileKind.VOICE, mime="audio/ogg", size=10, name="v.ogg", seconds=1.5
    )
    everything = IncomingMessage(
        key="1",
        ref=ref(),
        sender=ANN,
        text="多谢 👩‍👩‍👧 \x00 end",
        attachments=(voice,),
        reply_to=Quote(ref=ref(9), author="bot", text="?", by_bot=True, attachments=(voice,)),
        group=True,
        addressed=False,
        gesture="g",
    )
    events: list[Event] = [everything, press("2"), StopPressed(key="3", chat=chat(), sender=ANN)]
    for event in events:
        await stores.turns.accept(event, urgent=True)
    assert [(await claim(stores.turns)).event for _ in events] == events


@pytest.mark.parametrize("attempts", [1, 2])
async def test_files_left_for_a_later_attempt_are_there_until_the_turn_ends(
    stores: Stores, attempts: int
) -> None:
    drawn = OutgoingFile(name="a.png", mime="image/png", content=b"png")
    turn = await begun(stores.turns, message("1"))
    await stores.turns.note(turn.id, "drawn", [drawn])
    if attempts == 2:
        await stores.turns.fail(turn.id, "it broke", dead=False)
        assert (await claim(stores.turns)).progress == "drawn"
    assert await stores.turns.made(turn.id) == [drawn]
    await stores.turns.finish(turn.id, Outcome())
    assert await stores.turns.made(turn.id) == []


async def test_half_a_surrogate_pair_does_not_stop_a_message(stores: Stores) -> None:
    turn = await begun(stores.turns, message("1", text="broken \ud83d emoji"))
    assert isinstance(turn.event, IncomingMessage)
    assert turn.event.text == "broken \ufffd emoji"


async def test_the_same_key_is_accepted_once(stores: Stores) -> None:
    first = await stores.turns.accept(message("1"), urgent=False)
    again = await stores.turns.accept(message("1", text="other"), urgent=False)
    assert first == Accepted(turn_id=first.turn_id, fresh=True, ahead=0)
    assert again == Accepted(turn_id=first.turn_id, fresh=False, ahead=0)
    await stores.turns.finish((await claim(stores.turns)).id, Outcome())
    assert not (await stores.turns.accept(message("1"), urgent=False)).fresh
    assert await stores.turns.claim() is None


async def test_what_was_taken_in_is_known_by_its_key(stores: Stores) -> None:
    event = message("1")
    await accept(stores.turns, event)
    platform = event.ref.chat.platform
    assert await stores.turns.knows(platform, "1")
    assert not await stores.turns.knows(platform, "2")
    assert not await stores.turns.knows("elsewhere", "1")


async def test_where_turns_ended_last_is_known_unless_one_runs_there(
    stores: Stores, settings: StorageSettings
) -> None:
    for ago, name in enumerate(("late", "early", "goes on", "silent", "long ago")):
        turn = await begun(stores.turns, message(name, name))
        stood = None if name == "silent" else ref(1, name)
        await stores.turns.finish(turn.id, Outcome(), stood=stood)
        when = utc_now(-3600.0 if name == "long ago" else -ago)
        async with connected(settings) as database:
            change = sa.update(turns).where(turns.c.id == turn.id).values(finished_at=when)
            await database.change(change)
    await begun(stores.turns, message("next", "goes on"))
    platform = chat().platform
    assert await stores.turns.ended_last(platform) == [ref(1, "late"), ref(1, "early")]
    assert await stores.turns.ended_last("elsewhere") == []


async def test_what_runs_at_once_in_a_thread_knows_what_its_channel_has_chosen(
    stores: Stores,
) -> None:
    chosen = ChatSettings(model="chosen", listening="on")
    await stores.settings.change(chat("channel"), lambda _: chosen)
    await stores.settings.change(chat("own"), lambda _: ChatSettings(model="own"))
    found = []
    for name, lobby in (("thread", "channel"), ("own", "channel"), ("other", "elsewhere")):
        event = message(name, name)
        begun = await stores.turns.accept(event, urgent=False, begin=True, lobby=chat(lobby))
        assert begun.turn is not None
        found.append(begun.turn.settings)
    assert found == [ChatSettings(model="chosen"), ChatSettings(model="own"), ChatSettings()]


async def test_what_nothing_stands_before_runs_at_once(stores: Stores) -> None:
    await stores.settings.change(chat(), lambda _: ChatSettings(model="chosen"))
    event = message("1", text="broken \ud83d emoji")
    first = await stores.turns.accept(event, urgent=False, begin=True)
    assert first.turn is not None
    assert isinstance(first.turn.event, IncomingMessage)
    assert first.turn.event.text == "broken \ufffd emoji"  # as another attempt would read it
    assert first.turn.settings == ChatSettings(model="chosen")
    assert not first.turn.followed
    assert await stores.turns.claim() is None
    second = await stores.turns.accept(message("2"), urgent=False, begin=True)
    assert (second.turn, second.ahead) == (None, 1)
    stop = await stores.turns.accept(press("stop"), urgent=True, begin=True)
    assert stop.turn is not None
    again = await stores.turns.accept(event, urgent=False, begin=True)
    assert again == Accepted(turn_id=first.turn_id, fresh=False, ahead=0)
    await stores.turns.finish(first.turn_id, Outcome(), stood=ref(5))
    await stores.turns.finish((await claim(stores.turns)).id, Outcome())
    third = await stores.turns.accept(message("3"), urgent=False, begin=True)
    assert third.turn is not None
    assert third.turn.stood == ref(5)


async def test_what_runs_at_once_is_not_taken_for_lost_and_can_be_given_back(
    stores: Stores,
) -> None:
    accepted = await stores.turns.accept(message("0", "other"), urgent=False, begin=True)
    assert accepted.turn is not None
    assert await stores.turns.recover() == 0  # what is being worked on here is not lost
    await stores.turns.release(accepted.turn.id)
    assert (await claim(stores.turns)).event.key == "0"


async def test_the_same_key_offered_at_once_is_accepted_once(stores: Stores) -> None:
    offers = [stores.turns.accept(message("1"), urgent=False) for _ in range(8)]
    accepted = await asyncio.gather(*offers)
    assert sum(one.fresh for one in accepted) == 1
    assert len({one.turn_id for one in accepted}) == 1


async def test_the_key_of_another_platform_is_another_key(stores: Stores) -> None:
    elsewhere = IncomingMessage(
        key="1",
        ref=ref().__class__(ChatRef("other", ChatId("home")), ref().id),
        sender=ANN,
        text="hi",
    )
    assert (await stores.turns.accept(message("1"), urgent=False)).fresh
    assert (await stores.turns.accept(elsewhere, urgent=False)).fresh


async def test_a_chat_runs_one_turn_at_a_time_in_order(stores: Stores) -> None:
    ids = [(await stores.turns.accept(message(key), urgent=False)).turn_id for key in "abc"]
    for turn_id in ids:
        turn = await claim(stores.turns)
        assert turn.id == turn_id
        assert await stores.turns.claim() is None
        await stores.turns.finish(turn.id, Outcome())


async def test_chats_do_not_wait_for_each_other(stores: Stores) -> None:
    for name in ("one", "two", "three"):
        for number in range(2):
            await accept(stores.turns, message(f"{name}{number}", name))
    claimed = [(await claim(stores.turns)).chat.id for _ in range(3)]
    assert claimed == ["one", "two", "three"]
    assert await stores.turns.claim() is None


async def test_an_urgent_turn_passes_by_the_lane(stores: Stores) -> None:
    running = await begun(stores.turns, message("1"))
    await accept(stores.turns, message("2"))
    for key in ("3", "4"):
        assert (await stores.turns.accept(press(key), urgent=True)).ahead == 0
    assert [(await claim(stores.turns)).event.key for _ in range(2)] == ["3", "4"]
    assert await stores.turns.claim() is None
    await stores.turns.finish(running.id, Outcome())
    assert (await claim(stores.turns)).event.key == "2"


async def test_one_sees_how_many_turns_stand_before_ones_own(stores: Stores) -> None:
    elsewhere = await begun(stores.turns, message("z", "elsewhere"))
    accepted = [await stores.turns.accept(message(key), urgent=False) for key in "abc"]
    assert [one.ahead for one in accepted] == [0, 1, 2]
    last = accepted[-1].turn_id
    first = await claim(stores.turns)
    assert await stores.turns.ahead(last) == 2
    await stores.turns.finish(first.id, Outcome())
    assert await stores.turns.ahead(last) == 1
    assert await stores.turns.ahead(elsewhere.id) == 0
    pressed = await stores.turns.accept(press("p"), urgent=True)
    assert await stores.turns.ahead(pressed.turn_id) == 0  # it passes them by
    await stores.turns.announce(last, ref(50))
    assert await stores.turns.ahead(last) == 0  # it is said already


async def test_before_what_waits_no_more_there_is_nothing(stores: Stores) -> None:
    accepted = [await stores.turns.accept(message(key), urgent=False) for key in "abc"]
    first = await claim(stores.turns)
    await stores.turns.join(first.id, [accepted[1].turn_id], ())
    ahead = [await stores.turns.ahead(one.turn_id) for one in accepted]
    assert ahead == [0, 0, 1]


async def test_that_a_turn_waits_is_known_of_it_also_when_it_was_claimed_meanwhile(
    settings: StorageSettings,
) -> None:
    async with open_store(settings) as stores:
        turn = await begun(stores.turns, message("1"))
        assert await stores.turns.announce(turn.id, ref(50))
    async with open_store(settings) as stores:  # where it does not run any more
        await stores.turns.recover()
        again = await claim(stores.turns)
        assert again.shown == (ref(50),)
        await stores.turns.finish(again.id, Outcome())
        assert not await stores.turns.announce(again.id, ref(51))


async def test_of_two_lines_that_say_a_turn_waits_the_second_is_one_too_many(
    stores: Stores,
) -> None:
    accepted = await stores.turns.accept(message("1"), urgent=False)
    assert await stores.turns.announce(accepted.turn_id, ref(50))
    assert not await stores.turns.announce(accepted.turn_id, ref(51))
    turn = await claim(stores.turns)
    assert turn.shown == (ref(50),)
    assert not await stores.turns.announce(turn.id, ref(51))


async def test_no_line_says_that_something_waits_which_is_over(stores: Stores) -> None:
    turn = await begun(stores.turns, message("1"))
    await stores.turns.finish(turn.id, Outcome())  # nothing of it was shown
    assert not await stores.turns.announce(turn.id, ref(50))


async def test_too_many_waiting_turns_of_a_chat_are_refused(settings: StorageSettings) -> None:
    async with open_store(settings, waiting_per_chat=2, waiting_in_all=3) as stores:
        await accept(stores.turns, *map(message, "ab"))
        with pytest.raises(QueueFull) as refused:
            await accept(stores.turns, message("c"))
        assert refused.value.in_chat
        assert not (await stores.turns.accept(message("a"), urgent=False)).fresh
        assert (await stores.turns.accept(press("stop"), urgent=True)).fresh
        await accept(stores.turns, message("d", "two"))
        with pytest.raises(QueueFull) as refused:
            await accept(stores.turns, message("e", "three"))
        assert not refused.value.in_chat
        with pytest.raises(QueueFull):
            await stores.turns.accept(message("f", "four"), urgent=False, begin=True)
        assert (await claim(stores.turns)).event.key == "stop"
        await claim(stores.turns)
        assert (await stores.turns.accept(message("c"), urgent=False)).ahead == 2


async def test_in_a_group_nobody_takes_more_places_than_are_left_for_the_others(
    settings: StorageSettings,
) -> None:
    async with open_store(settings, waiting_per_chat=8) as stores:
        first = replace(message("first"), sender=Sender(UserId("3"), ""), group=True)
        await begun(stores.turns, first)  # it waits no more
        await begun(stores.turns, message("elsewhere", "two"))
        waiting = list[int]()
        for person in range(5):
            sender = Sender(UserId(f"{person}"), "")
            event = replace(message(f"{person}", "two"), sender=sender, group=True)
            await stores.turns.accept(event, urgent=False)
            for number in range(9):
                event = replace(message(f"{person}-{number}"), sender=sender, group=True)
                try:
                    await stores.turns.accept(event, urgent=False)
                except QueueFull as full:
                    assert full.in_chat
                    waiting.append(number)
                    break
        assert waiting == [4, 2, 1, 1, 0]


async def test_what_comes_with_a_refused_message_is_accepted(settings: StorageSettings) -> None:
    async with open_store(settings, waiting_per_chat=1) as stores:
        offers = [
            stores.turns.accept(message(f"{name}{number}", name), urgent=False)
            for name in ("one", "two", "three")
            for number in range(3)
        ]
        results = await asyncio.gather(*offers, return_exceptions=True)
        refused = [result for result in results if isinstance(result, QueueFull)]
        fresh = [result for result in results if isinstance(result, Accepted) and result.fresh]
        assert (len(refused), len(fresh)) == (6, 3)
        assert {(await claim(stores.turns)).chat.id for _ in range(3)} == {"one", "two", "three"}


async def test_one_message_sent_twice_by_a_bad_connection_counts_once(stores: Stores) -> None:
    first = replace(numbered(1), gesture="g")
    assert (await stores.turns.accept(first, urgent=False)).fresh
    assert not (await stores.turns.accept(replace(numbered(2), gesture="g"), urgent=False)).fresh
    assert (await stores.turns.accept(replace(numbered(3), gesture="h"), urgent=False)).fresh


async def test_the_newest_message_of_the_bot_is_known_to_the_next_turn(stores: Stores) -> None:
    first = await begun(stores.turns, *map(numbered, range(1, 4)))
    assert first.stood is None
    await stores.turns.finish(first.id, Outcome(), stood=ref(7))
    second = await claim(stores.turns)
    assert second.stood == ref(7)
    await stores.turns.fail(second.id, "", dead=False, stood=ref(8))
    assert (await claim(stores.turns)).stood == ref(7)  # what stood before its first attempt


async def test_a_claim_tells_what_the_chat_has_chosen_and_whether_anybody_waits_behind(
    stores: Stores,
) -> None:
    chosen = ChatSettings(model="gpt", language="zh")
    await stores.settings.change(chat(), lambda _: chosen)
    await accept(stores.turns, *map(message, "ab"), message("elsewhere", "other"))
    await stores.turns.accept(message("press"), urgent=True)
    claimed = [await claim(stores.turns) for _ in range(3)]
    told = {turn.event.key: (turn.followed, turn.settings) for turn in claimed}
    assert told["a"] == (True, chosen)
    assert told["elsewhere"] == (False, None)
    first = next(turn for turn in claimed if turn.event.key == "a")
    await stores.turns.finish(first.id, Outcome())
    assert not (await claim(stores.turns)).followed
