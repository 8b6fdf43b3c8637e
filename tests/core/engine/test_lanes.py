from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from bot.api.settings import ModelSettings
from bot.core.access import Access
from bot.core.fakes.clock import ManualClock
from bot.core.fakes.platform import ANN, CHAT, FakePlatform
from bot.core.settings import ChatSettings
from bot.core.types import (
    ChatId,
    ChatRef,
    Happening,
    Sender,
    Unreadable,
    UserId,
)
from bot.errors import ChatGone, PlatformDown, PlatformError, QueueFull, StoreError
from bot.sandbox.openai.faults import Hang, Stall
from bot.sandbox.openai.scripted import Answer
from bot.store import StorageSettings
from bot.store.queue.turns import Turns
from tests.house import QUICK, SLOW, House, open_house
from tests.patience import until

EVE = Sender(UserId("666"), "Eve")


async def ask_twice(house: House) -> None:
    """Ask; ask again while the answer is being written; return when it says that it waits."""
    house.api.script.answer(SLOW, "second answer")
    async with house.answering():
        await house.write("second")
        await house.sees("⏳ 1 message before yours")


async def test_a_second_message_waits_its_turn_and_the_person_sees_it(house: House) -> None:
    await ask_twice(house)
    await house.answered()
    kept = house.platform.kept()
    assert len(kept) == 2  # the line about waiting has become the answer
    assert kept[0].startswith("slow answer") and kept[1] == "second answer"
    assert house.api.traffic.most_in_flight == 1
    assert len(house.api.traffic.to("/chat/completions")) == 2  # neither was begun anew


async def test_other_chats_do_not_wait(house: House) -> None:
    other = ChatRef("fake", ChatId("2"))
    house.api.faults.add(Hang(), on="/chat/completions")
    await house.write("first")
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    assert (await house.say("hello", chat=other))[0].startswith("**You said:** hello")


async def test_messages_are_answered_in_order(house: House) -> None:
    house.api.script.answer_with(lambda question: f"re {question.last_text}")
    messages = [house.platform.message(str(n)) for n in range(5)]
    await asyncio.gather(*(house.lanes.sink(message) for message in messages))
    await house.answered()
    asked = [r.json["messages"] for r in house.api.traffic.to("/chat/completions")]
    questions = [messages[-1]["content"] for messages in asked if isinstance(messages, list)]
    assert sorted(questions) == ["0", "1", "2", "3", "4"]
    assert len(house.platform.kept()) == 5
    accepted = await house.services.stores.conversations.page(
        await house.services.stores.conversations.current(CHAT)
    )
    said = [kept.message.parts for kept in accepted]
    assert [str(p) for p in said[0::2]] == [str(p).replace("re ", "") for p in said[1::2]]


async def test_the_same_message_delivered_twice_is_answered_once(house: House) -> None:
    message = house.platform.message("hello")
    await house.tell(message)
    await house.tell(message)
    assert len(house.platform.kept()) == 1
    assert len(house.api.traffic.to("/chat/completions")) == 1


async def test_a_model_switch_waits_for_the_answer_before_it(house: House) -> None:
    house.api.script.answer(SLOW)
    async with house.answering():
        await house.write("/model gpt-4o")
    await house.answered()
    await house.say("second")
    models = [r.json["model"] for r in house.api.traffic.to("/chat/completions")]
    assert models == ["gpt-4o-mini", "gpt-4o"]


async def test_help_does_not_wait(house: House) -> None:
    house.api.faults.add(Hang(), on="/chat/completions")
    await house.write("first")
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    await house.write("/help")
    await house.sees("/model")


async def test_of_very_many_who_write_at_once_the_last_is_told_once_and_answered_in_the_end(
    tmp_path: Path,
) -> None:
    other = ChatRef("fake", ChatId("2"))
    async with open_house(tmp_path, waiting_in_all=1) as house:
        house.api.script.answer(SLOW, "second answer", "third answer")
        third = house.platform.message("third", chat=other)
        async with house.answering():
            await house.write("second")
            for _ in range(2):  # what is not taken in, the platform offers again
                with pytest.raises(QueueFull):
                    await house.happen(third)
                await house.sees("⏳ Very many people are writing to me just now.", other)
        await house.answered()
        told, answer = await house.tell(third, other)
        assert told == (
            "⏳ Very many people are writing to me just now. I will answer, it takes a while."
        )
        assert answer == "third answer"


async def test_a_stranger_is_told_once_how_to_get_in(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=Access(users=frozenset({"fake:1"}))) as house:
        line = ["Sorry, I only answer people I know. The operator can let you in: `fake:666`"]
        assert await house.say("hello", sender=EVE) == line
        assert await house.say("hello?", sender=EVE) == line
        assert (await house.say("hello", sender=ANN))[-1].startswith("**You said:** hello")
        assert len(house.api.traffic.to("/chat/completions")) == 1


async def test_who_is_shut_out_while_they_wait_is_not_answered(tmp_path: Path) -> None:
    access = Access(admins=frozenset({"fake:7"}), users=frozenset({"fake:1", "fake:666"}))
    async with open_house(tmp_path, access=access) as house:
        house.api.script.answer(SLOW, "second answer")
        async with house.answering():
            await house.write("second", sender=EVE)
            await house.sees("⏳ 1 message before yours")
            boss = Sender(UserId("7"), "Boss")
            await house.write("/deny 666", sender=boss)
            await house.sees("`fake:666` is shut out")
        await house.answered()
        assert len(house.api.traffic.to("/chat/completions")) == 1
        assert "second answer" not in str(house.platform.kept())


async def test_a_stranger_cannot_press_buttons(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=Access(users=frozenset({"fake:1"}))) as house:
        before = await house.say("/model")
        assert await house.press("gpt-4o", sender=EVE) == before


async def test_an_event_that_cannot_be_read_is_kept_for_the_operator(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        event = Unreadable(key="fake:x", platform="fake", raw="{]", reason="not JSON")
        await house.lanes.sink(event)
        await house.lanes.sink(event)  # offered again: known
    with closing(sqlite3.connect(tmp_path / "house.db")) as database:
        rows = database.execute("SELECT state, count(*) FROM turns GROUP BY state").fetchall()
    assert rows == [("dead", 1)]


async def test_a_platform_that_fails_for_a_moment_delays_the_answer_only(house: House) -> None:
    house.platform.fail_next(PlatformError("bad gateway"))
    assert (await house.say("/new"))[-1].startswith("✨ A fresh start")


async def test_an_answer_that_cannot_be_kept_shuts_no_chat(tmp_path: Path) -> None:
    dear = {"gpt-4o-mini": ModelSettings(input_price=Decimal(10**15), output_price=Decimal(1))}
    async with open_house(tmp_path, prices=dear) as house:
        await house.say("hello")
        assert (await house.say("/model gpt-4o"))[0].startswith("**You said:** hello")
        assert (await house.say("are you there?"))[-1].startswith("**You said:** are you there?")
        assert len(house.api.traffic.to("/chat/completions")) == 2  # each is asked for once
    with closing(sqlite3.connect(tmp_path / "house.db")) as database:
        states = database.execute("SELECT state FROM turns ORDER BY id").fetchall()
    assert states == [("dead",), ("done",), ("done",)]


async def test_a_chat_that_is_gone_is_given_up_quietly(house: House) -> None:
    house.platform.fail_next(ChatGone("kicked"))
    await house.tell(house.platform.message("/new"))
    [answer] = await house.say("hello")  # the command was not tried again
    assert answer.startswith("**You said:** hello")


async def test_nothing_more_is_asked_of_the_model_for_a_chat_that_is_gone(house: House) -> None:
    house.api.script.answer(Answer(text="word " * 2_000, chunk=5, pace=0.02))
    house.platform.fail_next(ChatGone("blocked"))
    await house.say("hello")
    await house.api.traffic.until(lambda seen: seen.abandoned == 1)


async def test_somebody_is_known_whose_only_message_could_not_be_answered(house: House) -> None:
    house.platform.fail_next(ChatGone("kicked"))
    await house.tell(house.platform.message("hello"))
    assert await house.services.stores.users.count() == 1


async def test_what_fails_three_times_is_given_up_in_words_and_the_lane_goes_on(
    house: House,
) -> None:
    for _ in range(3):
        house.platform.fail_next(PlatformError("it never works"))
    kept = await house.say("/new")
    assert kept == ["⚠️ Something went wrong here, and I have noted it. Please ask again."]
    assert (await house.say("hello"))[-1].startswith("**You said:** hello")


async def test_who_presses_retry_once_more_is_told_that_it_is_under_way(house: House) -> None:
    for _ in range(3):
        house.platform.fail_next(PlatformError("it never works"))
    await house.say("/new")
    first, second = (house.platform.press("🔁 Retry") for _ in range(2))
    await house.tell(first)
    await house.tell(second)
    await house.sees("A fresh start.")
    assert house.platform.notices == ["", "This is being answered already."]


async def test_a_locked_database_refuses_the_event_and_takes_it_later(
    house: House, tmp_path: Path
) -> None:
    refused = asyncio.Event()

    async def sink(event: Happening) -> None:
        try:
            await house.lanes.sink(event)
        except StoreError:
            refused.set()
            raise

    with closing(sqlite3.connect(tmp_path / "house.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        offering = asyncio.create_task(house.platform.run(sink, lambda: None))
        house.platform.say("hello")
        await refused.wait()
        assert house.platform.kept() == []
        other.execute("COMMIT")
    await house.sees("**You said:** hello")
    offering.cancel()


async def test_an_answer_that_a_shutdown_interrupts_says_that_it_goes_on_and_is_finished(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as house:
        house.api.script.answer("never to be finished " * 50)
        house.api.faults.add(Stall(after=3), on="/chat/completions")
        await house.write("tell me")
        await house.sees("never to be")
        await house.write("and then?")
        await house.sees("⏳")
    text, line = house.platform.kept()
    assert text.startswith("never to be")
    assert text.endswith("⏸ I am being restarted. The answer goes on in a moment.")
    assert line.startswith("⏳")
    assert house.platform.buttons() == []
    async with open_house(tmp_path, platform=house.platform) as house:
        house.api.script.answer("whole now", "and that was it")
        await house.sees("and that was it")
        assert house.platform.kept() == ["whole now", "and that was it"]


async def test_an_answer_that_stands_when_the_bot_ends_is_written_down_and_not_given_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    storage = StorageSettings(url=f"sqlite:///{tmp_path}/house.db", busy_timeout=0.02)
    with closing(sqlite3.connect(tmp_path / "house.db", isolation_level=None)) as other:
        async with open_house(tmp_path, storage=storage) as house:
            house.api.script.answer(SLOW)
            async with house.answering():
                other.execute("BEGIN IMMEDIATE")
            await until(lambda: "database refuses" in caplog.messages)  # it is tried again soon
            assert "person not noted" in caplog.messages
            other.execute("ROLLBACK")
        assert other.execute("SELECT state, attempt FROM turns").fetchall() == [("done", 1)]
    assert [text.strip() for text in house.platform.kept()] == [SLOW.strip()]


async def test_what_was_waiting_when_the_process_died_is_answered(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.api.faults.add(Hang(), on="/chat/completions", times=None)
        await house.write(*(f"question {number}" for number in range(3)))
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
        after = tmp_path / "after"
        after.mkdir()
        with closing(sqlite3.connect(tmp_path / "house.db")) as running:
            running.execute("VACUUM INTO ?", (str(after / "house.db"),))  # as a kill leaves it
    async with open_house(after, platform=house.platform) as house:
        await house.sees("question 2")
        kept = house.platform.kept()
        assert [f"question {n}" in text for n, text in enumerate(kept)] == [True] * 3


async def test_one_who_blocks_the_bot_after_asking_costs_no_retries(house: House) -> None:
    house.platform.leave(CHAT)
    await house.say("hello")
    assert len(house.api.traffic.to("/chat/completions")) <= 1


async def test_a_platform_that_is_down_gets_the_words_of_a_command_later(house: House) -> None:
    house.platform.fail_next(PlatformDown("no connection"))
    assert (await house.say("/new"))[-1].startswith("✨ A fresh start")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def answered(house: House, clock: ManualClock) -> None:
    """Time passes until everything is answered, for two hours at most."""
    ended = asyncio.create_task(house.answered())
    while not ended.done():
        assert clock.monotonic() < 7200
        await asyncio.sleep(0.002)
        await clock.advance(10)


async def test_the_words_of_a_command_wait_for_as_long_as_the_platform_asks(
    tmp_path: Path, clock: ManualClock
) -> None:
    platform = FakePlatform(QUICK, clock=clock)
    async with open_house(tmp_path, platform=platform, clock=clock) as house:
        platform.refuse_next(30)
        await house.happen(platform.message("/new"))
        await answered(house, clock)
        assert platform.kept()[-1].startswith("✨ A fresh start")
    assert (platform.refusals, platform.offences) == (1, 0)


async def test_the_words_of_a_command_are_given_up_while_the_platform_stays_down(
    tmp_path: Path, clock: ManualClock
) -> None:
    platform = FakePlatform(QUICK, clock=clock)
    async with open_house(tmp_path, platform=platform, clock=clock) as house:
        for _ in range(1000):
            platform.fail_next(PlatformDown("no connection"))
        await house.happen(platform.message("/new"))
        await answered(house, clock)
        platform.clear_fates()
        await house.happen(platform.message("hello"))
        await answered(house, clock)
        assert platform.kept()[-1].startswith("**You said:** hello")


async def test_a_post_without_an_answer_is_not_made_twice(house: House) -> None:
    house.platform.unknown_next(carried_out=True)
    assert len(await house.say("/new")) == 1


@pytest.mark.parametrize("grows", [True, False])
async def test_the_beginning_of_an_answer_of_which_no_answer_told_stands_there_once(
    house: House, grows: bool
) -> None:
    if grows:
        house.api.script.answer(Answer(text="slow words " * 20, chunk=11, pace=0.05))
    else:
        house.api.script.answer(Answer(text="quick words", chunk=4, pace=0.01))
    house.platform.unknown_next(carried_out=True)
    await house.say("tell me")
    assert len(house.platform.kept()) == 1
    assert [label for label in house.platform.buttons() if "Stop" in label] == []


async def test_where_an_answer_stands_is_known_also_when_a_line_about_waiting_stood_there(
    house: House, tmp_path: Path
) -> None:
    await ask_twice(house)
    await house.say("/settings")
    with closing(sqlite3.connect(tmp_path / "house.db")) as database:
        rows = [json.loads(row[0]) for row in database.execute("SELECT shown FROM turns")]
    stands = [ref["id"] for row in rows for ref in row]
    assert stands == [ref.id for ref in house.platform.refs()]


async def test_what_is_claimed_while_the_bot_is_leaving_is_left_for_the_next_start(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as house:
        turns, settings = house.services.stores.turns, house.services.stores.settings
        await house.say("/help")  # after which there are no chores
        seen = house.platform.kept()
        for _ in range(3):  # who looks for more to do has its turn, and finds nothing
            await settings.change(CHAT, lambda _: ChatSettings())
        assert isinstance(turns, Turns)
        await turns.accept(house.platform.message("late"), urgent=False)
        with closing(sqlite3.connect(tmp_path / "house.db", isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")  # so the claim takes its time
            turns.hear()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await house.lanes.drain(0)
            somebody.execute("ROLLBACK")
        await settings.change(CHAT, lambda _: ChatSettings())  # after the claim
        assert house.platform.kept() == seen
    with closing(sqlite3.connect(tmp_path / "house.db")) as database:
        rows = database.execute("SELECT state, attempt FROM turns ORDER BY id").fetchall()
    assert rows == [("done", 1), ("waiting", 1)]
