"""What people send while an answer is being written: answered together, or changed in time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox.openai.faults import Refuse, Stall
from tests.changes import changed
from tests.house import SLOW, TOGETHER, House, open_house

COMPLETIONS = "/chat/completions"


async def test_short_messages_in_a_row_get_one_answer(sociable: House) -> None:
    async with sociable.answering():
        await sociable.write("second", "third", "fourth")
    assert (await sociable.answered())[1:] == ["re second\nthird\nfourth"]
    assert len(sociable.api.traffic.to(COMPLETIONS)) == 2


async def test_one_line_says_that_a_row_of_messages_waits(sociable: House) -> None:
    async with sociable.answering():
        await sociable.write("second", "third")
        await sociable.sees("⏳")
    await sociable.answered()
    lines = {text for frame in sociable.platform.frames for text in frame if "⏳" in text}
    assert lines == {"⏳ 1 message before yours"}


async def test_a_line_for_each_goes_away_where_only_this_chat_is_answered_together(
    house: House,
) -> None:
    await house.say("/settings together on")
    house.api.script.answer(SLOW, "both at once")
    async with house.answering():
        await house.write("second", "third")
        await house.sees("⏳ 2 messages before yours")
    assert (await house.answered())[2:] == ["both at once"]


async def test_a_command_a_long_text_and_somebody_else_end_a_row(sociable: House) -> None:
    async with sociable.answering():
        await sociable.write("second", "/model gpt-4o", "third", "x" * 2000, "fourth")
    await sociable.answered()
    kept = sociable.platform.kept()[1:]
    assert kept[0] == "re second"
    assert "gpt-4o" in kept[1]
    assert [text[:8] for text in kept[2:]] == ["re third", "re xxxxx", "re fourt"]


async def test_what_is_too_much_for_one_answer_is_answered_above_what_came_after_it(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, defaults=TOGETHER, waiting_per_chat=20) as house:
        house.api.script.answer(SLOW)
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        async with house.answering():
            await house.write(*map(str, range(12)), "x" * 2000)
            await house.sees("⏳ 13 messages before yours")
        kept = (await house.answered())[1:]
    assert [text.split()[1][:2] for text in kept] == ["0", "10", "xx"]


async def test_who_wants_each_message_answered_by_itself_says_so(sociable: House) -> None:
    await sociable.say("/settings together off")
    async with sociable.answering():
        await sociable.write("second", "third")
    assert (await sociable.answered())[2:] == ["re second", "re third"]


async def test_in_a_group_each_message_is_answered_by_itself(sociable: House) -> None:
    async with sociable.answering():
        await sociable.write("second", "third", group=True)
    await sociable.answered()
    assert len(sociable.platform.kept()) == 3


async def test_what_was_answered_together_is_answered_once_after_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=TOGETHER) as house:
        house.api.script.answer(SLOW, "together " * 90)
        async with house.answering():
            await house.write("second", "third")
            house.api.faults.add(Stall(after=2), on=COMPLETIONS)
        await house.sees("together")
    async with open_house(tmp_path, platform=house.platform, defaults=TOGETHER) as house:
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        await house.sees("re second\nthird")
        await house.say("fourth")
        assert house.platform.kept()[1:] == ["re second\nthird", "re fourth"]


async def test_what_waited_behind_an_answer_that_a_restart_cut_is_answered_below_it(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, defaults=TOGETHER) as house:
        house.api.script.answer(SLOW)
        house.api.faults.add(Stall(after=2), on=COMPLETIONS)
        await house.write("first")
        await house.sees("slow")
        await house.write("second")
        await house.sees("⏳")
    async with open_house(tmp_path, platform=house.platform, defaults=TOGETHER) as house:
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        await house.sees("re second")
        await house.say("third")
        assert house.platform.kept() == ["re first", "re second", "re third"]


async def test_a_change_to_a_message_that_waits_replaces_it(house: House) -> None:
    house.api.script.answer(SLOW)
    house.api.script.answer_with(lambda question: f"re {question.last_text}")
    async with house.answering():
        second, _ = await house.write("secnod", "third")
        change = changed(second, "second")
        await house.happen(change, changed(second, "second!"))
        await house.happen(change)  # delivered once more
    assert (await house.answered())[1:] == ["re second!", "re third"]


async def test_a_message_that_waits_and_is_changed_into_stop_waits_no_more(house: House) -> None:
    house.api.script.answer(SLOW)
    async with house.answering():
        [second] = await house.write("second")
        await house.sees("⏳")
        await house.happen(changed(second, "/stop"))
    assert (await house.answered())[1:] == ["Nothing is being written right now."]


async def test_a_change_of_anything_but_the_words_asks_for_nothing(house: House) -> None:
    """Telegram tells of one when somebody takes the preview off a link."""
    house.api.script.answer("one", "two", "three")
    message = house.platform.message("first")
    assert await house.tell(message) == ["one"]
    assert await house.tell(changed(message, "first")) == ["one"]
    await house.tell(changed(message, "second"))
    kept = ["one", "✏️ You changed your message."]
    again = replace(changed(message, "second"), key="another")
    assert await house.tell(again) == kept
    assert (await house.tell(changed(message, "first again")))[:2] == kept


async def test_a_change_while_a_message_is_answered_is_offered_below_its_answer(
    house: House,
) -> None:
    message = house.platform.message("first")
    house.api.script.answer(SLOW, "about dogs")
    async with house.answering(message):
        await house.happen(changed(message, "dogs"))
    assert await house.answered() == [SLOW.strip(), "✏️ You changed your message."]
    assert await house.press("🔁 Answer it anew") == ["about dogs"]


async def test_a_change_to_an_older_message_is_let_be(house: House) -> None:
    house.api.script.answer("one", "two")
    first = house.platform.message("first")
    await house.tell(first)
    await house.say("second")
    assert await house.tell(changed(first, "first!")) == ["one", "two"]
    assert len(house.api.traffic.to(COMPLETIONS)) == 2


async def test_a_message_that_was_not_for_the_bot_at_first_is_answered_once_it_is(
    house: House,
) -> None:
    house.api.script.answer_with(lambda question: f"re {question.last_text}")
    aside = house.platform.message("nothing", addressed=False, group=True)
    await house.happen(aside)
    now = replace(changed(aside, "you there?"), addressed=True)
    assert "you there?" in (await house.tell(now))[-1]


async def test_a_change_to_the_last_message_is_answered_anew_when_asked_for(house: House) -> None:
    house.api.script.answer("about cats", "about dogs")
    message = house.platform.message("tell me of cats")
    await house.tell(message)
    kept = await house.tell(changed(message, "tell me of dogs"))
    assert kept == ["about cats", "✏️ You changed your message."]
    assert await house.press("🔁 Answer it anew") == ["about dogs"]
    await house.say("and?")
    assert house.asked()[1:3] == [("user", "tell me of dogs"), ("assistant", "about dogs")]


async def test_who_changes_a_message_many_times_is_offered_once_to_have_it_answered_anew(
    house: House,
) -> None:
    house.api.script.answer("about cats", "about whales")
    message = house.platform.message("tell me of cats")
    await house.tell(message)
    for animal in ("dogs", "birds", "whales"):
        kept = await house.tell(changed(message, f"tell me of {animal}"))
        assert kept == ["about cats", "✏️ You changed your message."]
    assert await house.press("🔁 Answer it anew") == ["about whales"]
    assert house.asked()[-1] == ("user", "tell me of whales")
    kept = await house.tell(changed(message, "tell me of cats"))  # the answer is no offer
    assert kept == ["about whales", "✏️ You changed your message."]


@pytest.mark.parametrize(
    ("number", "asked"),
    [(0, "changed\nb\nc"), (1, "a\nchanged\nc"), (2, "a\nb\nchanged")],
)
async def test_a_change_to_one_message_of_a_row_leaves_the_others_as_they_are(
    sociable: House, number: int, asked: str
) -> None:
    async with sociable.answering():
        row = await sociable.write(*"abc")
    await sociable.answered()
    await sociable.tell(changed(row[number], "changed"))
    assert (await sociable.press("🔁 Answer it anew"))[1:] == [f"re {asked}"]
    await sociable.say("and?")
    assert ("user", asked) in sociable.asked_for("and?")


async def test_messages_of_a_row_are_changed_one_after_the_other(sociable: House) -> None:
    async with sociable.answering():
        row = await sociable.write("a", "b and\nmore", "c")
    await sociable.answered()
    for number, text in ((2, "third"), (0, "the very first"), (1, "second"), (2, "last")):
        await sociable.tell(changed(row[number], text))
        await sociable.press("🔁 Answer it anew")
    assert sociable.platform.kept()[1:] == ["re the very first\nsecond\nlast"]


async def test_a_change_to_a_message_of_an_older_row_is_let_be(sociable: House) -> None:
    async with sociable.answering():
        row = await sociable.write(*"abc")
    await sociable.answered()
    kept = await sociable.say("and?")
    assert await sociable.tell(changed(row[0], "changed")) == kept


async def test_an_offer_to_answer_anew_is_void_once_the_conversation_has_gone_on(
    house: House,
) -> None:
    message = house.platform.message("one")
    await house.tell(message)
    await house.tell(changed(message, "two"))
    await house.say("three")
    asked = len(house.api.traffic.to(COMPLETIONS))
    await house.press("🔁 Answer it anew")
    assert house.platform.notices[-1].startswith("The conversation has gone on since")
    assert len(house.api.traffic.to(COMPLETIONS)) == asked


async def test_a_message_that_could_not_be_answered_is_answered_once_it_is_changed(
    house: House,
) -> None:
    house.api.faults.add(Refuse(400), on=COMPLETIONS)
    message = house.platform.message("tell me everything")
    assert (await house.tell(message))[-1].startswith("⚠️")
    house.api.script.answer("something")
    assert (await house.tell(changed(message, "tell me something")))[-1] == "something"


async def test_a_row_that_is_given_up_keeps_its_mark_and_the_others_are_answered(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, defaults=TOGETHER) as house:
        house.api.script.answer(SLOW)
        house.api.faults.add(Stall(after=2), on=COMPLETIONS)
        await house.write("first")
        await house.sees("slow")
        await house.write("second", "third")
        await house.sees("⏳")
    with closing(sqlite3.connect(tmp_path / "house.db")) as database, database:
        database.execute("UPDATE turns SET attempt = 4 WHERE id = 2")  # killed three times over
    async with open_house(tmp_path, platform=house.platform, defaults=TOGETHER) as house:
        house.api.script.answer("first")
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        await house.sees("re third")
        kept = house.platform.kept()
        assert kept[1:] == ["⏸ This answer was interrupted, three times over.", "re third"]
        await house.press("🔁 Retry")
        await house.sees("re second")
        assert house.platform.kept()[1:] == ["re second", "re third"]


async def test_a_line_of_one_who_joins_a_row_from_before_a_restart_is_used_once(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, defaults=TOGETHER) as house:
        house.api.script.answer(SLOW)
        house.api.faults.add(Stall(after=2), on=COMPLETIONS)
        await house.write("x" * 2000)  # too long to lead a row
        await house.sees("slow")
        await house.write("second")
    with closing(sqlite3.connect(tmp_path / "house.db")) as database, database:
        database.execute("UPDATE turns SET shown = '[]' WHERE id = 2")  # killed before it was told
    async with open_house(tmp_path, platform=house.platform, defaults=TOGETHER) as house:
        house.api.script.answer(SLOW)
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        with house.api.held():
            await house.sees("slow")
            await house.write("third")
        await house.answered()
        await house.sees("re second")
        assert house.platform.kept()[-1] == "re second\nthird"
