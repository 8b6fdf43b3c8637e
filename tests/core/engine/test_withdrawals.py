"""Messages that people delete: waiting, being answered, answered, and overheard in a group."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bot.core.capabilities import Streaming
from bot.core.commands import COMMANDS
from bot.core.commands.table import Command, CommandTable
from bot.core.fakes.platform import CHAT, FakePlatform
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage, Sender, UserId
from bot.errors import PlatformDown
from bot.sandbox.openai.faults import Hang, Refuse, Stall
from bot.sandbox.openai.scripted import Answer
from bot.store.queue.turns import Turns
from tests.changes import changed, deletion
from tests.house import QUICK, SLOW, House, open_house
from tests.patience import until

COMPLETIONS = "/chat/completions"
IMAGES = "/images/generations"
SECRET = "my password is xyzzy"
EVE = Sender(UserId("2"), "Eve")


async def delete(house: House, message: IncomingMessage) -> list[str]:
    """Somebody deletes a message; returns what stands in the chat when all is done."""
    await house.happen(deletion(message))
    return await house.answered()


def questions(house: House) -> list[object]:
    """What the model was asked, request by request: the last words of each."""
    return [house.asked(at)[-1][1] for at in range(len(house.api.traffic.to(COMPLETIONS)))]


# ------------------------------------------------------------ waiting


async def test_what_is_deleted_while_it_waits_is_not_answered_and_its_line_goes(
    house: House,
) -> None:
    house.api.script.answer(SLOW, "re third")
    async with house.answering():
        second, _ = await house.write(SECRET, "third")
        await house.sees("⏳ 2 messages before yours")
        await house.happen(deletion(second))
        await house.vanishes("⏳ 1 message before yours")
        await house.happen(deletion(second))  # delivered once more
    assert (await house.answered())[1:] == ["re third"]
    assert questions(house) == ["first", "third"]


async def test_a_line_that_spoke_for_others_is_said_anew_for_them(sociable: House) -> None:
    async with sociable.answering():
        second, _ = await sociable.write("second", "third")
        await sociable.sees("⏳")
        before = sociable.platform.refs()[-1]
        await sociable.happen(deletion(second))
        await until(lambda: sociable.platform.refs()[-1] != before)
        await sociable.sees("⏳ 1 message before yours")
    assert (await sociable.answered())[1:] == ["re third"]


async def test_the_line_of_a_deleted_message_goes_even_if_the_platform_refuses_at_first(
    house: House,
) -> None:
    house.api.script.answer(SLOW)
    async with house.answering():
        second = house.platform.message("second")
        await house.happen(second)
        await house.sees("⏳")
        house.platform.fail_next(PlatformDown("no connection"))
        await house.happen(deletion(second))
        await house.vanishes("⏳")
    await house.answered()
    assert len(house.platform.kept()) == 1


async def test_of_messages_in_a_row_only_the_deleted_one_falls_away(sociable: House) -> None:
    async with sociable.answering():
        row = await sociable.write("second", SECRET, "fourth")
        await sociable.happen(deletion(row[1]))
    assert (await sociable.answered())[1:] == ["re second\nfourth"]


async def test_a_command_that_is_deleted_while_it_waits_is_not_carried_out(house: House) -> None:
    house.api.script.answer(SLOW)
    async with house.answering():
        order = house.platform.message("/new")
        await house.happen(order, deletion(order))
    await house.answered()
    house.api.script.answer("second answer")
    await house.say("second")
    assert ("user", "first") in house.asked()


async def test_what_is_deleted_before_it_comes_is_not_answered(house: House) -> None:
    late = house.platform.message(SECRET)
    await house.happen(deletion(late))
    assert await house.tell(late) == []
    assert await house.tell(changed(late, "changed before")) == []
    assert house.api.traffic.to(COMPLETIONS) == []


async def test_that_something_was_given_up_is_not_said_any_more_once_it_is_deleted(
    tmp_path: Path,
) -> None:
    async def broken(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
        raise ValueError(argument)

    table = CommandTable([*COMMANDS.commands, Command(name="break", summary="", run=broken)])
    async with open_house(tmp_path, commands=table) as house:
        message = house.platform.message(f"/break {SECRET}")
        assert (await house.tell(message))[0].startswith("⚠️ Something went wrong here")
        await house.happen(deletion(message))
        await house.vanishes("⚠️")
    assert b"xyzzy" not in (tmp_path / "house.db").read_bytes()


# ------------------------------------------------------------ being answered


@pytest.mark.parametrize("streaming", [Streaming.EDIT, Streaming.NATIVE])
async def test_an_answer_that_is_being_written_goes_with_its_question(
    tmp_path: Path, streaming: Streaming
) -> None:
    capabilities = replace(QUICK, streaming=streaming)
    async with open_house(tmp_path, capabilities=capabilities) as house:
        house.api.script.answer(SLOW, "second answer")
        question = house.platform.message(SECRET)
        async with house.answering(question):
            assert await delete(house, question) == []
        assert await house.say("second") == ["second answer"]
        assert "xyzzy" not in str(house.asked()) and "slow" not in str(house.asked())
        assert "Today: 2 requests" in (await house.say("/usage"))[-1]


async def test_nothing_is_said_when_the_question_goes_before_the_first_word(house: House) -> None:
    house.api.script.answer(Answer(text="too late", chunk=4))
    question = house.platform.message(SECRET)
    house.api.faults.add(Stall(after=0), on=COMPLETIONS)
    await house.happen(question)
    await until(lambda: house.api.traffic.to(COMPLETIONS))
    assert await delete(house, question) == []
    assert not any("too late" in text or "⏹" in text for f in house.platform.frames for text in f)
    assert house.platform.typing_now == 0


async def test_a_picture_that_was_ordered_counts_although_its_order_is_deleted(
    house: House,
) -> None:
    house.api.faults.add(Hang(), on=IMAGES)
    order = house.platform.message("/image a lighthouse")
    await house.happen(order)
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    assert await delete(house, order) == []
    assert "1 picture" in (await house.say("/usage"))[-1]


async def test_what_waits_behind_a_deleted_question_is_answered(house: House) -> None:
    house.api.script.answer(SLOW, "re second")
    first, second = (house.platform.message(text) for text in ("first", "second"))
    async with house.answering(first):
        await house.happen(second)
        await house.sees("⏳")
        await house.happen(deletion(first))
        await house.vanishes("slow")
    assert await house.answered() == ["re second"]


@pytest.mark.parametrize("gone", [0, 1, 2])
async def test_a_row_that_is_being_answered_is_answered_anew_without_what_is_deleted(
    sociable: House, gone: int
) -> None:
    words = ["second", "third", "fourth"]
    async with sociable.answering():
        row = await sociable.write(*words)
    with sociable.api.held():
        await sociable.sees("re")
        await sociable.happen(deletion(row[gone]))
    await sociable.answered()
    left = "\n".join(word for at, word in enumerate(words) if at != gone)
    assert sociable.platform.kept()[1:] == [f"re {left}"]
    await sociable.say("and?")
    assert words[gone] not in str(sociable.asked_for("and?"))


async def test_a_row_can_lose_one_message_after_the_other(sociable: House) -> None:
    async with sociable.answering():
        row = await sociable.write("second", "third")
    with sociable.api.held():
        await sociable.sees("re")
        await sociable.happen(*map(deletion, row))
    await sociable.answered()
    assert len(sociable.platform.kept()) == 1


async def test_stop_after_a_part_was_deleted_is_a_stop(sociable: House) -> None:
    async with sociable.answering():
        row = await sociable.write("second", "third")
    with sociable.api.held():
        await sociable.sees("re")
        await sociable.happen(deletion(row[1]))
        await sociable.sees("re second")
        await sociable.say("/stop")
    assert sociable.platform.kept()[1].endswith("⏹ Stopped.")


async def test_what_follows_is_answered_although_word_of_a_deletion_comes_late(
    house: House,
) -> None:
    house.api.script.answer("one", SLOW)
    await house.say("first")
    turns = house.services.stores.turns
    assert isinstance(turns, Turns)
    async with house.answering("second"):
        turns.hear_stop(CHAT, [1])  # from another bot, about the question before
    assert await house.answered() == ["one", SLOW.strip()]


async def test_what_cannot_be_deleted_stands_there_and_nobody_waits_for_it(house: House) -> None:
    house.api.script.answer(SLOW, "second answer")
    question = house.platform.message(SECRET)
    async with house.answering(question):
        house.platform.deletable = False
        await delete(house, question)
    assert (await house.say("second"))[-1] == "second answer"
    assert "xyzzy" not in str(house.asked())


async def test_a_stop_is_one_although_the_database_does_not_say_whether_it_is(
    house: House, tmp_path: Path
) -> None:
    house.api.script.answer(SLOW)
    with closing(sqlite3.connect(tmp_path / "house.db")) as database, house.api.held():
        await house.write("first")
        await house.sees("slow")
        database.execute("ALTER TABLE turns RENAME COLUMN withdrawn TO damaged")
        await house.lanes.stop_chat(CHAT)
        await house.sees("⏹ Stopped.")
        database.execute("ALTER TABLE turns RENAME COLUMN damaged TO withdrawn")
        await house.answered()


@pytest.mark.parametrize("heard", ["before", "after"])
async def test_what_is_deleted_about_a_restart_is_not_gone_on_with(
    tmp_path: Path, heard: str
) -> None:
    async with open_house(tmp_path) as house:
        house.api.script.answer(SLOW)
        house.api.faults.add(Stall(after=2), on=COMPLETIONS)
        question = house.platform.message(SECRET)
        await house.happen(question)
        await house.sees("slow")
        if heard == "before":  # and killed before anybody could be told
            await house.services.stores.turns.withdraw(deletion(question))
    assert "restarted" in house.platform.kept()[0]
    async with open_house(tmp_path, platform=house.platform) as house:
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        with house.api.held():
            if heard == "after":
                await house.happen(deletion(question))
            await house.vanishes("slow")
        assert await house.say("second") == ["re second"]
        assert "xyzzy" not in str(house.asked())


# ------------------------------------------------------------ answered


async def test_what_is_deleted_after_its_answer_is_unknown_to_the_model(house: House) -> None:
    house.api.script.answer("one", f"You wrote: {SECRET}", "three", "four")
    await house.say("first")
    question = house.platform.message(SECRET)
    await house.tell(question)
    await house.say("third")
    before = house.platform.kept()
    assert await delete(house, question) == before
    assert await delete(house, question) == before  # delivered once more
    await house.say("fourth")
    told = [content for role, content in house.asked() if role != "system"]
    assert told == ["first", "one", "third", "three", "fourth"]


async def test_the_title_that_comes_after_is_made_of_what_came_first(house: House) -> None:
    """So that it goes, too, when that is deleted."""
    words = [house.platform.message(text) for text in ("trains", "ships", "planes", SECRET)]
    for each in words:
        await house.tell(each)
    archive = house.services.stores.archive
    conversation = await house.services.stores.conversations.current(CHAT)

    async def is_titled() -> bool:
        return not await archive.untitled(conversation)

    for before, after in pairwise(words[:3]):
        await until(is_titled)
        await house.happen(deletion(before))
        await house.say("and then?")
        await until(is_titled)
        assert [each.title for each in await archive.listed(CHAT)] == [after.text]


async def test_of_a_row_that_was_answered_the_rest_is_known_with_its_answer(
    sociable: House,
) -> None:
    async with sociable.answering():
        row = await sociable.write("a", SECRET, "c")
    await sociable.answered()
    await delete(sociable, row[1])
    await sociable.say("and?")
    told = sociable.asked_for("and?")
    assert ("user", "a\nc") in told
    await sociable.tell(changed(row[2], "changed"))  # it can still be changed
    await delete(sociable, row[0])
    await delete(sociable, row[2])
    await sociable.say("so?")
    assert not [c for role, c in sociable.asked_for("so?") if c in ("a\nc", "c", "a", "changed")]


async def test_the_question_before_a_deleted_one_can_be_changed_again(house: House) -> None:
    house.api.script.answer("one", "two", "one anew")
    first, second = (house.platform.message(text) for text in ("first", "second"))
    await house.tell(first)
    await house.tell(second)
    await delete(house, second)
    await house.tell(changed(first, "first!"))
    assert (await house.press("🔁 Answer it anew"))[0] == "one anew"


async def test_an_offer_to_answer_a_changed_message_anew_goes_with_it(house: House) -> None:
    house.api.script.answer("one", "two")
    message = house.platform.message("first")
    await house.tell(message)
    kept = await house.tell(changed(message, SECRET))
    assert kept == ["one", "✏️ You changed your message."]
    await house.happen(deletion(message))
    await house.vanishes("✏️")
    assert house.platform.kept() == ["one"]


async def test_an_answer_to_a_changed_message_stays_as_any_other(house: House) -> None:
    house.api.script.answer("about cats", "about dogs")
    message = house.platform.message("cats")
    await house.tell(message)
    await house.tell(changed(message, "dogs"))
    await house.press("🔁 Answer it anew")
    assert await delete(house, message) == ["about dogs"]
    await house.say("and?")
    assert "dogs" not in str(house.asked()) and "cats" not in str(house.asked())


@pytest.mark.parametrize("failed", [False, True])
async def test_an_answer_that_is_written_anew_is_not_kept_without_its_question(
    house: House, *, failed: bool
) -> None:
    house.api.script.answer("one")
    await house.say("first")
    if failed:
        house.api.faults.add(Refuse(503), on=COMPLETIONS)
    house.api.script.answer(*([] if failed else ["two"]), SLOW, "three")
    message = house.platform.message(SECRET)
    await house.tell(message)
    with house.api.held():
        await house.happen(house.platform.press("🔁 Retry" if failed else "🔁 Regenerate"))
        await house.sees("slow")
        await house.happen(deletion(message))
    await house.answered()
    await house.say("third")
    assert [c for role, c in house.asked() if role != "system"] == ["first", "one", "third"]


async def test_messages_around_one_that_was_deleted_are_answered_together(
    sociable: House,
) -> None:
    async with sociable.answering():
        row = await sociable.write("second", "third", "fourth")
        await sociable.happen(deletion(row[0]), deletion(row[2]))
        await sociable.write("fifth")
    assert (await sociable.answered())[1:] == ["re third\nfifth"]


async def test_the_log_tells_of_it_without_a_word_of_anybody(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    question = house.platform.message(SECRET)
    with caplog.at_level("INFO"):
        await house.tell(question)
        await delete(house, question)
        await delete(house, question)
    told = [record for record in caplog.records if record.message == "message deleted"]
    assert [(each.__dict__["chat"], each.__dict__["erased"]) for each in told] == [(CHAT.id, True)]
    assert "xyzzy" not in caplog.text


# ------------------------------------------------------------ overheard


def remark(platform: FakePlatform, text: str) -> IncomingMessage:
    return platform.message(text, group=True, addressed=False, sender=EVE)


async def ask(house: House, text: str) -> IncomingMessage:
    question = house.platform.message(text, group=True)
    await house.tell(question)
    return question


async def test_a_deleted_remark_is_told_to_nobody_before_the_question_nor_after(
    house: House,
) -> None:
    await ask(house, "/settings listening on")
    first, second, third = (remark(house.platform, text) for text in ("pizza", SECRET, "wine"))
    await house.happen(first, second, third, deletion(second))
    await house.happen(second)  # delivered once more
    await ask(house, "What do we pay?")
    assert [c for _, c in house.asked()[1:]] == ["Eve: pizza", "Eve: wine", "Ann: What do we pay?"]
    await house.happen(deletion(first))
    await ask(house, "Really?")
    assert "pizza" not in str(house.asked()) and "wine" in str(house.asked())


async def test_a_remark_that_is_deleted_while_it_is_thought_about_is_not_kept(
    house: House,
) -> None:
    await ask(house, "/settings listening on")
    said = remark(house.platform, SECRET)
    await house.happen(said)
    house.api.script.answer(SLOW, "two")
    with house.api.held():
        await house.write("and?", group=True)
        await house.sees("slow")
        await house.happen(deletion(said))
    await house.answered()
    await ask(house, "so?")
    assert "xyzzy" not in str(house.asked()) and "and?" in str(house.asked())


async def test_a_remark_that_somebody_changes_is_told_as_it_is_now(house: House) -> None:
    await ask(house, "/settings listening on")
    first, second = remark(house.platform, SECRET), remark(house.platform, "wine")
    await house.happen(first, second, changed(first, "pizza"), changed(second, "/nothing"))
    await house.happen(changed(remark(house.platform, "never heard"), "unheard"))
    await ask(house, "What do we pay?")
    assert [c for _, c in house.asked()[1:]] == ["Eve: pizza", "Ann: What do we pay?"]
