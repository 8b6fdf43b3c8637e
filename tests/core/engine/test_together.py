"""What people send while an answer is being written: answered together, or changed in time."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.fakes.platform import CHAT, FakePlatform
from bot.core.types import IncomingMessage
from bot.sandbox.openai.faults import Refuse, Stall
from tests.house import DEFAULTS, House, open_house

SLOW = "slow answer " * 20
COMPLETIONS = "/chat/completions"
TOGETHER = replace(DEFAULTS, together=True)


@pytest.fixture
async def sociable(tmp_path: Path) -> AsyncGenerator[House]:
    async with open_house(tmp_path, defaults=TOGETHER) as house:
        house.api.script.answer(SLOW)
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        yield house


@asynccontextmanager
async def being_answered(house: House, text: str = "first") -> AsyncGenerator[None]:
    """A message is being answered while the block runs."""
    with house.api.held():
        await house.happen(house.platform.message(text))
        await house.sees("slow")
        yield


def edit(platform: FakePlatform, message: IncomingMessage, text: str) -> IncomingMessage:
    """The event of a message that was changed."""
    return replace(message, key=f"{message.key}:{text}", text=text, edited=True)


async def test_short_messages_in_a_row_get_one_answer(sociable: House) -> None:
    async with being_answered(sociable):
        for text in ("second", "third", "fourth"):
            await sociable.happen(sociable.platform.message(text))
    await sociable.lanes.answered(CHAT)
    assert sociable.platform.kept()[1:] == ["re second\nthird\nfourth"]
    assert len(sociable.api.traffic.to(COMPLETIONS)) == 2


async def test_one_line_says_that_a_row_of_messages_waits(sociable: House) -> None:
    async with being_answered(sociable):
        for text in ("second", "third"):
            await sociable.happen(sociable.platform.message(text))
        await sociable.sees("⏳")
    await sociable.lanes.answered(CHAT)
    lines = {text for frame in sociable.platform.frames for text in frame if "⏳" in text}
    assert lines == {"⏳ 1 message before yours"}


async def test_a_line_for_each_goes_away_where_only_this_chat_is_answered_together(
    house: House,
) -> None:
    await house.say("/settings together on")
    house.api.script.answer(SLOW, "both at once")
    async with being_answered(house):
        for text in ("second", "third"):
            await house.happen(house.platform.message(text))
        await house.sees("⏳ 2 messages before yours")
    await house.lanes.answered(CHAT)
    assert house.platform.kept()[2:] == ["both at once"]


async def test_a_command_a_long_text_and_somebody_else_end_a_row(sociable: House) -> None:
    async with being_answered(sociable):
        for text in ("second", "/model gpt-4o", "third", "x" * 2000, "fourth"):
            await sociable.happen(sociable.platform.message(text))
    await sociable.lanes.answered(CHAT)
    kept = sociable.platform.kept()[1:]
    assert kept[0] == "re second"
    assert "gpt-4o" in kept[1]
    assert [text[:8] for text in kept[2:]] == ["re third", "re xxxxx", "re fourt"]


async def test_who_wants_each_message_answered_by_itself_says_so(sociable: House) -> None:
    await sociable.say("/settings together off")
    async with being_answered(sociable):
        for text in ("second", "third"):
            await sociable.happen(sociable.platform.message(text))
    await sociable.lanes.answered(CHAT)
    assert sociable.platform.kept()[2:] == ["re second", "re third"]


async def test_in_a_group_each_message_is_answered_by_itself(sociable: House) -> None:
    async with being_answered(sociable):
        for text in ("second", "third"):
            await sociable.happen(sociable.platform.message(text, group=True))
    await sociable.lanes.answered(CHAT)
    assert len(sociable.platform.kept()) == 3


async def test_what_was_answered_together_is_answered_once_after_a_restart(tmp_path: Path) -> None:
    async with open_house(tmp_path, defaults=TOGETHER) as house:
        house.api.script.answer(SLOW, "together " * 90)
        async with being_answered(house):
            for text in ("second", "third"):
                await house.happen(house.platform.message(text))
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
        await house.happen(house.platform.message("first"))
        await house.sees("slow")
        await house.happen(house.platform.message("second"))
        await house.sees("⏳")
    async with open_house(tmp_path, platform=house.platform, defaults=TOGETHER) as house:
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        await house.sees("re second")
        await house.say("third")
        assert house.platform.kept() == ["re first", "re second", "re third"]


async def test_a_change_to_a_message_that_waits_replaces_it(house: House) -> None:
    house.api.script.answer(SLOW)
    house.api.script.answer_with(lambda question: f"re {question.last_text}")
    async with being_answered(house):
        second, third = (house.platform.message(text) for text in ("secnod", "third"))
        await house.happen(second)
        await house.happen(third)
        change = edit(house.platform, second, "second")
        await house.happen(change)
        await house.happen(edit(house.platform, second, "second!"))
        await house.happen(change)  # delivered once more
    await house.lanes.answered(CHAT)
    assert house.platform.kept()[1:] == ["re second!", "re third"]


async def test_a_change_of_anything_but_the_words_asks_for_nothing(house: House) -> None:
    """Telegram tells of one when somebody takes the preview off a link."""
    house.api.script.answer("one", "two", "three")
    message = house.platform.message("first")
    assert await house.tell(message) == ["one"]
    assert await house.tell(edit(house.platform, message, "first")) == ["one"]
    await house.tell(edit(house.platform, message, "second"))
    kept = ["one", "✏️ You changed your message."]
    again = replace(edit(house.platform, message, "second"), key="another")
    assert await house.tell(again) == kept
    assert (await house.tell(edit(house.platform, message, "first again")))[:2] == kept


async def test_a_change_while_a_message_is_answered_is_offered_below_its_answer(
    house: House,
) -> None:
    message = house.platform.message("first")
    house.api.script.answer(SLOW, "about dogs")
    with house.api.held():
        await house.happen(message)
        await house.sees("slow")
        await house.happen(edit(house.platform, message, "dogs"))
    await house.lanes.answered(CHAT)
    assert house.platform.kept() == [SLOW.strip(), "✏️ You changed your message."]
    assert await house.press("🔁 Answer it anew") == ["about dogs"]


async def test_a_change_to_an_older_message_is_let_be(house: House) -> None:
    house.api.script.answer("one", "two")
    first = house.platform.message("first")
    await house.tell(first)
    await house.say("second")
    assert await house.tell(edit(house.platform, first, "first!")) == ["one", "two"]
    assert len(house.api.traffic.to(COMPLETIONS)) == 2


async def test_a_message_that_was_not_for_the_bot_at_first_is_answered_once_it_is(
    house: House,
) -> None:
    house.api.script.answer_with(lambda question: f"re {question.last_text}")
    aside = house.platform.message("nothing", addressed=False, group=True)
    await house.happen(aside)
    now = replace(edit(house.platform, aside, "you there?"), addressed=True)
    assert "you there?" in (await house.tell(now))[-1]


async def test_a_change_to_the_last_message_is_answered_anew_when_asked_for(house: House) -> None:
    house.api.script.answer("about cats", "about dogs")
    message = house.platform.message("tell me of cats")
    await house.tell(message)
    kept = await house.tell(edit(house.platform, message, "tell me of dogs"))
    assert kept == ["about cats", "✏️ You changed your message."]
    assert await house.press("🔁 Answer it anew") == ["about dogs"]
    await house.say("and?")
    assert house.asked()[1:3] == [("user", "tell me of dogs"), ("assistant", "about dogs")]


@pytest.mark.parametrize(
    ("number", "asked"),
    [(0, "changed\nb\nc"), (1, "a\nchanged\nc"), (2, "a\nb\nchanged")],
)
async def test_a_change_to_one_message_of_a_row_leaves_the_others_as_they_are(
    sociable: House, number: int, asked: str
) -> None:
    row = [sociable.platform.message(text) for text in "abc"]
    async with being_answered(sociable):
        for message in row:
            await sociable.happen(message)
    await sociable.lanes.answered(CHAT)
    await sociable.tell(edit(sociable.platform, row[number], "changed"))
    assert (await sociable.press("🔁 Answer it anew"))[1:] == [f"re {asked}"]
    await sociable.say("and?")
    assert ("user", asked) in sociable.asked_for("and?")


async def test_messages_of_a_row_are_changed_one_after_the_other(sociable: House) -> None:
    row = [sociable.platform.message(text) for text in ("a", "b and\nmore", "c")]
    async with being_answered(sociable):
        for message in row:
            await sociable.happen(message)
    await sociable.lanes.answered(CHAT)
    for number, text in ((2, "third"), (0, "the very first"), (1, "second"), (2, "last")):
        await sociable.tell(edit(sociable.platform, row[number], text))
        await sociable.press("🔁 Answer it anew")
    assert sociable.platform.kept()[1:] == ["re the very first\nsecond\nlast"]


async def test_a_change_to_a_message_of_an_older_row_is_let_be(sociable: House) -> None:
    row = [sociable.platform.message(text) for text in "abc"]
    async with being_answered(sociable):
        for message in row:
            await sociable.happen(message)
    await sociable.lanes.answered(CHAT)
    kept = await sociable.say("and?")
    assert await sociable.tell(edit(sociable.platform, row[0], "changed")) == kept


async def test_an_offer_to_answer_anew_is_void_once_the_conversation_has_gone_on(
    house: House,
) -> None:
    message = house.platform.message("one")
    await house.tell(message)
    await house.tell(edit(house.platform, message, "two"))
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
    changed = edit(house.platform, message, "tell me something")
    assert (await house.tell(changed))[-1] == "something"


async def test_a_row_that_is_given_up_keeps_its_mark_and_the_others_are_answered(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, defaults=TOGETHER) as house:
        house.api.script.answer(SLOW)
        house.api.faults.add(Stall(after=2), on=COMPLETIONS)
        await house.happen(house.platform.message("first"))
        await house.sees("slow")
        for text in ("second", "third"):
            await house.happen(house.platform.message(text))
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
        await house.happen(house.platform.message("x" * 2000))  # too long to lead a row
        await house.sees("slow")
        await house.happen(house.platform.message("second"))
    with closing(sqlite3.connect(tmp_path / "house.db")) as database, database:
        database.execute("UPDATE turns SET shown = '[]' WHERE id = 2")  # killed before it was told
    async with open_house(tmp_path, platform=house.platform, defaults=TOGETHER) as house:
        house.api.script.answer(SLOW)
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        with house.api.held():
            await house.sees("slow")
            await house.happen(house.platform.message("third"))
        await house.lanes.answered(CHAT)
        await house.sees("re second")
        assert house.platform.kept()[-1] == "re second\nthird"
