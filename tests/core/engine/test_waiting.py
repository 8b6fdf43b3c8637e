"""Who waits is told, whichever of two things that happen at once comes first."""

from __future__ import annotations

import asyncio
import gc
import logging
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.core.engine.waiting import WaitingRoom
from bot.core.fakes.platform import CHAT, FakePlatform
from bot.core.queue import Outcome
from bot.core.types import ChatRef, IncomingMessage, MessageRef, Reply, Sender, UserId
from bot.errors import NotYourTurn, PlatformDown
from bot.sandbox.openai.faults import Hang, Stall
from bot.store import StorageSettings, open_store
from tests.changes import deletion
from tests.house import QUICK, SLOW, TOGETHER, House, open_house
from tests.patience import PATIENCE, until

EVE = Sender(UserId("2"), "Eve")


async def test_a_turn_that_comes_while_its_message_is_taken_in_does_not_wait_any_more(
    tmp_path: Path,
) -> None:
    platform = FakePlatform(clock=SystemClock())
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/waiting.db")
    async with open_store(settings) as stores:
        room = WaitingRoom({"fake": platform}, stores.turns, SystemClock(), together=True)
        messages = [platform.message(text) for text in ("first", "second", "third")]
        accepted = [await stores.turns.accept(each, urgent=False) for each in messages]
        first, second, third = (each.turn_id for each in accepted)
        await stores.turns.claim()
        await stores.turns.finish(first, Outcome())
        await stores.turns.claim()
        assert await room.begun(CHAT, second) is None
        room.add(second, messages[1])  # its process was slow to hear that it was taken in
        room.add(third, messages[2])
        room.answer_shown(CHAT)
        assert await room.begun(CHAT, third) is not None
        assert platform.kept() == ["⏳ 1 message before yours"]
        await room.close()


class SlowLines(FakePlatform):
    """A platform on which a line about waiting takes its time.

    So does what is written over one. Nothing is looked for here that was lost, as in the topics of
    a group.
    """

    def __init__(self) -> None:
        super().__init__(QUICK, clock=SystemClock())
        self.asked, self.may_stand = asyncio.Event(), asyncio.Event()
        self.editing, self.may_change = asyncio.Event(), asyncio.Event()
        self._line: MessageRef | None = None

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        if not reply.text.startswith("⏳"):
            return await super().send(chat, reply)
        self.asked.set()
        await self.may_stand.wait()
        self._line = await super().send(chat, reply)
        return self._line

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        if ref == self._line:
            self.editing.set()
            await self.may_change.wait()
        await super().edit(ref, reply)

    async def sweep(
        self,
        chat: ChatRef,
        *,
        after: Sequence[MessageRef],
        keep: Collection[MessageRef],
        before: Collection[MessageRef] = (),
    ) -> None:
        """Find nothing."""


async def line_comes_late(house: House, folder: Path, platform: SlowLines, text: str) -> None:
    """Somebody writes what waits; the line that says so is not there before its turn has come."""
    house.api.script.answer(SLOW, "second answer")
    async with house.answering():
        await house.write(text)
        await platform.asked.wait()
    with closing(sqlite3.connect(folder / "house.db")) as database:
        states = "SELECT state FROM turns ORDER BY id"
        await until(lambda: database.execute(states).fetchall()[1] == ("running",))
    platform.may_stand.set()


async def test_a_line_that_is_posted_when_its_turn_has_come_becomes_the_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    platform = SlowLines()
    platform.may_change.set()
    async with open_house(tmp_path, platform=platform) as house:
        await line_comes_late(house, tmp_path, platform, "second")
        first, second = await house.answered()
        assert (first[:4], second) == ("slow", "second answer")
        assert "turn failed" not in caplog.messages


@pytest.mark.parametrize(("text", "said"), [("second", "second answer"), ("/new", "✨")])
async def test_a_line_that_is_posted_when_its_turn_has_come_is_known_after_a_restart(
    tmp_path: Path, text: str, said: str
) -> None:
    platform = SlowLines()
    async with open_house(tmp_path, platform=platform) as house:
        await line_comes_late(house, tmp_path, platform, text)
        await platform.editing.wait()
    platform.may_change.set()
    async with open_house(tmp_path, platform=platform) as house:
        house.api.script.answer("second answer")
        await house.sees(said)
        assert not any("⏳" in text for text in platform.kept())


async def test_of_two_bots_that_both_say_that_somebody_waits_one_takes_its_line_back(
    tmp_path: Path,
) -> None:
    platform = SlowLines()
    platform.strict = False  # each bot has its own wire
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/waiting.db")
    async with open_store(settings) as stores:
        rooms = [
            WaitingRoom({"fake": platform}, stores.turns, SystemClock(), together=True)
            for _ in range(2)
        ]
        messages = [platform.message(text) for text in ("first", "second")]
        _, second = [await stores.turns.accept(each, urgent=False) for each in messages]
        for room in rooms:
            platform.asked.clear()
            room.add(second.turn_id, messages[1])
            room.answer_shown(CHAT)
            await platform.asked.wait()
        platform.may_stand.set()
        for room in rooms:
            await room.close()
        assert platform.kept() == ["⏳ 1 message before yours"]


async def test_no_line_is_posted_between_two_answers(tmp_path: Path) -> None:
    platform = FakePlatform(clock=SystemClock())
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/waiting.db")
    async with open_store(settings) as stores:
        room = WaitingRoom({"fake": platform}, stores.turns, SystemClock(), together=True)
        messages = [platform.message(text) for text in ("first", "/second", "/third")]
        first, *others = [await stores.turns.accept(each, urgent=False) for each in messages]
        await stores.turns.claim()
        assert await room.begun(CHAT, first.turn_id) is None
        for accepted, message in zip(others, messages[1:], strict=True):
            room.add(accepted.turn_id, message)
        await stores.turns.finish(first.turn_id, Outcome())
        await stores.turns.claim()
        room.answer_shown(CHAT)
        room.answer_ended(CHAT)
        assert await room.begun(CHAT, others[0].turn_id) is None
        await stores.turns.ahead(others[1].turn_id)
        await platform.send(CHAT, Reply(text="second answer"))
        room.answer_shown(CHAT)
        async with asyncio.timeout(PATIENCE):
            while len(platform.kept()) < 2:  # noqa: ASYNC110 - a view
                await asyncio.sleep(0.001)
        assert platform.kept() == ["second answer", "⏳ 1 message before yours"]
        await room.close()


@pytest.mark.parametrize(("text", "said"), [("second", "second answer"), ("/new", "✨")])
async def test_a_line_that_comes_late_is_deleted_where_that_of_another_bot_stands(
    tmp_path: Path, text: str, said: str
) -> None:
    platform = SlowLines()
    platform.may_change.set()
    async with open_house(tmp_path, platform=platform) as house:
        house.api.script.answer(SLOW, "second answer")
        async with house.answering():
            await house.write(text)
            await platform.asked.wait()
            others = await FakePlatform.send(platform, CHAT, Reply(text="⏳ of another bot"))
            assert await house.services.stores.turns.announce(2, others)
        with closing(sqlite3.connect(tmp_path / "house.db")) as database:
            states = "SELECT state FROM turns ORDER BY id"
            await until(lambda: database.execute(states).fetchall()[1] == ("running",))
        platform.may_stand.set()
        await house.sees(said)
        await house.vanishes("⏳")


async def test_who_cannot_be_told_to_wait_is_answered_all_the_same(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    house.api.script.answer(SLOW, "second answer")
    async with house.answering():
        house.platform.fail_next(PlatformDown("no connection"))
        await house.write("second")
        await until(lambda: "waiting not shown" in caplog.messages)
    first, second = await house.answered()
    assert (first[:4], second) == ("slow", "second answer")
    assert "turn failed" not in caplog.messages


async def test_a_line_whose_receipt_got_lost_does_not_stand_there_for_good(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    house.api.script.answer(SLOW, "second answer")
    async with house.answering():
        house.platform.unknown_next(carried_out=True)
        await house.write("second")
        await until(lambda: "waiting not shown" in caplog.messages)
        assert lines(house) == ["⏳ 1 message before yours"]
    first, second = await house.answered()
    assert (first[:4], second) == ("slow", "second answer")


async def test_a_lost_line_is_found_also_where_the_next_one_was_posted(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    house.api.script.answer(SLOW)
    house.api.script.answer_with(lambda question: f"re {question.last_text}")
    async with house.answering():
        house.platform.unknown_next(carried_out=True)
        await house.write("second", "third")
        await house.sees("⏳ 2 messages before yours")
        assert "waiting not shown" in caplog.messages
        assert lines(house) == ["⏳ 1 message before yours", "⏳ 2 messages before yours"]
    kept = sorted((await house.answered())[1:])
    assert kept == ["re second", "re third"]


@pytest.mark.parametrize("told", ["told", "not told"])
async def test_nothing_is_kept_of_who_was_answered_by_another_bot(
    tmp_path: Path, told: str
) -> None:
    platform = FakePlatform(clock=SystemClock())
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/waiting.db")
    async with open_store(settings) as stores:
        room = WaitingRoom({"fake": platform}, stores.turns, SystemClock(), together=False)
        await stores.turns.accept(platform.message("first"), urgent=False)
        before = kept_in_memory()
        for number in range(1, 4):
            message = platform.message("another")
            turn_id = (await stores.turns.accept(message, urgent=False)).turn_id
            room.add(turn_id, message)
            if told == "told":
                room.answer_shown(CHAT)
                async with asyncio.timeout(PATIENCE):
                    while len(platform.kept()) < number:  # noqa: ASYNC110 - a view
                        await asyncio.sleep(0.001)
            room.begun_elsewhere(CHAT, turn_id)
            del message
        await room.close()
        async with asyncio.timeout(PATIENCE):  # the thread of the database may hold the last one
            while kept_in_memory() > before:  # noqa: ASYNC110 - a view
                await asyncio.sleep(0.001)


def kept_in_memory() -> int:
    """How many messages, and pieces of work about them, the process has not forgotten."""
    gc.collect()
    return sum(map(_is_about_waiting, gc.get_objects()))


def _is_about_waiting(kept: object) -> bool:
    # The database has work of its own under way, a second after it was opened.
    if type(kept) is asyncio.Task:
        return WaitingRoom.__name__ in repr(kept.get_coro())
    return type(kept) is IncomingMessage


async def test_what_waited_before_a_restart_is_answered_above_what_came_after_it(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as house:
        house.api.faults.add(Hang(), on="/chat/completions")
        await house.write("first")
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
        await house.write("second", "third")
    async with open_house(tmp_path, platform=house.platform) as house:
        house.api.script.answer(SLOW)
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        with house.api.held():
            await house.write("fourth")
            await house.sees("slow")
            await house.sees("⏳ 3 messages before yours")
        kept = await house.answered()
    assert kept[1:] == ["re second", "re third", "re fourth"]


@pytest.mark.parametrize("shown", ["when it is shown", "before"])
async def test_what_was_written_after_a_press_has_a_line_of_its_own(
    tmp_path: Path, shown: str
) -> None:
    async with open_house(tmp_path, defaults=TOGETHER) as house:
        house.api.script.answer("zero", SLOW)
        house.api.script.answer_with(lambda question: f"re {question.last_text}")
        await house.say("first")
        with house.api.held():
            await house.write("second")
            if shown == "when it is shown":
                await house.sees("slow")
            await house.write("third")
            await house.happen(house.platform.press("🔁 Regenerate"))
            await house.write("fourth", "/new")
            await house.sees("⏳ 4 messages before yours")
        kept = await house.answered()
    assert kept[2:4] == ["re third", "re fourth"]
    assert kept[4].startswith("✨")


def lines(house: House) -> list[str]:
    """What is told in the chat about waiting, oldest first."""
    return [text for text in house.platform.screen() if text.startswith("⏳")]


async def test_in_a_group_one_line_is_for_all_that_somebody_waits_for(house: House) -> None:
    house.api.script.answer(SLOW)
    house.api.script.answer_with(lambda question: f"re {question.last_text}")
    async with house.answering(house.platform.message("first", group=True)):
        second, _ = await house.write("second", "third", group=True)
        await house.write("hers", "hers, too", group=True, sender=EVE)
        await house.sees("⏳ 3 messages before yours")
        assert lines(house) == ["⏳ 1 message before yours", "⏳ 3 messages before yours"]
        await house.happen(deletion(second))
        await until(
            lambda: lines(house) == ["⏳ 3 messages before yours", "⏳ 1 message before yours"]
        )
    answers = sorted((await house.answered())[1:])
    assert answers == ["re Ann: third", "re Eve: hers", "re Eve: hers, too"]


async def test_in_a_group_a_line_for_which_there_is_no_room_is_posted_when_there_is(
    house: House,
) -> None:
    house.api.script.answer(SLOW)
    async with house.answering(house.platform.message("first", group=True)):
        house.platform.fail_next(NotYourTurn(0.5))
        await house.write("second", group=True)
        await house.write("hers", group=True, sender=EVE)
        await house.sees("⏳ 2 messages before yours")
        await house.write("hers, too", group=True, sender=EVE)
        await house.sees("⏳ 1 message before yours")
        assert all(reply.spare for reply in house.platform.sent if reply.text.startswith("⏳"))


async def test_who_had_a_line_before_a_restart_gets_no_other_one(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.api.faults.add(Stall(after=2), on="/chat/completions")
        house.api.script.answer(SLOW)
        await house.write("first", group=True)
        await house.sees("slow")
        await house.write("second", "third", group=True)
        await house.sees("⏳")
    async with open_house(tmp_path, platform=house.platform) as house:
        house.api.script.answer(SLOW)
        with house.api.held():
            await house.write("hers", group=True, sender=EVE)
            await house.sees("⏳ 3 messages before yours")
            assert lines(house) == ["⏳ 1 message before yours", "⏳ 3 messages before yours"]


async def test_no_line_stands_above_an_answer_whose_message_comes_at_its_end(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, vanishes=30.0)) as house:
        house.api.script.answer(SLOW, "second answer")
        async with house.answering():
            await house.write("second")
        first, second = await house.answered()
        assert (first[:4], second) == ("slow", "second answer")
