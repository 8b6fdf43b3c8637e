"""Two bots on one PostgreSQL, in one chat: people see one of them."""

from __future__ import annotations

import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.core.chat import TextPart
from bot.core.clock import SystemClock
from bot.core.engine.unfinished import FORGETS_AFTER
from bot.core.fakes.platform import CHAT, FakePlatform
from bot.core.ports import Clock
from bot.store import StorageSettings
from bot.store.database import connected
from bot.store.queue import lanes
from bot.store.queue.turns import Turns
from tests.changes import deletion
from tests.house import QUICK, House, open_house
from tests.patience import until
from tests.store.test_leases import expire
from tests.watch import Watch

# A SQLite file has one bot at a time.
pytestmark = pytest.mark.parametrize("settings", ["postgres"], indirect=True)


@asynccontextmanager
async def two_bots(
    settings: StorageSettings,
    folder: Path,
    watch: Clock = SystemClock(),  # noqa: B008 - no state
) -> AsyncGenerator[tuple[House, House]]:
    platform = FakePlatform(QUICK, clock=SystemClock())
    async with (
        open_house(folder, platform=platform, storage=settings, clock=watch) as one,
        open_house(folder, platform=platform, storage=settings) as two,
    ):
        yield one, two


def turns_of(house: House) -> Turns:
    turns = house.services.stores.turns
    assert isinstance(turns, Turns)
    return turns


async def take_over(settings: StorageSettings, house: House) -> None:
    """The other bot has given no sign of life for so long that this one works on its turns."""
    turns, freed = turns_of(house), 0
    async with connected(settings) as database:
        while not freed:  # it may just have given its last one
            await expire(database)
            freed = await turns.leases.free_left() or await turns.leases.free_left()  # looks twice
    turns.hear()


async def kept(house: House) -> None:
    """Wait until an answer has come to its end in the database, too."""

    async def is_told() -> bool:
        return bool((await house.services.stores.conversations.history(CHAT)).newest)

    await until(is_told)


async def test_a_bot_that_starts_leaves_alone_what_another_of_the_same_name_writes(
    settings: StorageSettings, tmp_path: Path
) -> None:
    """In containers host names and process ids are alike; here both run in one process."""
    platform = FakePlatform(QUICK, clock=SystemClock())
    async with open_house(tmp_path, platform=platform, storage=settings) as one:
        one.api.script.answer("slow answer")
        async with (
            one.answering("question"),
            open_house(tmp_path, platform=platform, storage=settings) as two,
        ):
            two.api.script.answer("quick answer")
            assert await turns_of(two).recover() == 0
            assert await turns_of(two).claim() is None
            assert two.api.traffic.to("/chat/completions") == []
        assert await one.answered() == ["slow answer"]


async def test_a_bot_that_was_silent_for_too_long_leaves_its_answer_to_the_other(
    settings: StorageSettings, tmp_path: Path
) -> None:
    async with two_bots(settings, tmp_path) as (one, two):
        one.api.script.answer("first " * 40)
        two.api.script.answer("second", "third")
        async with one.answering("question", shows="first"):
            await take_over(settings, two)
            await kept(two)  # else the next question waits, and either bot may answer it
            await turns_of(one).leases.renew()  # it wakes up
        await one.answered()
        assert await two.say("and then?") == ["second", "third"]
        history = await one.services.stores.conversations.history(CHAT)
        words = ["question", "second", "and then?", "third"]
        assert [kept.message.parts for kept in history.newest] == [(TextPart(w),) for w in words]


async def test_a_bot_that_wakes_up_writes_nothing_over_the_answer_of_the_other(
    settings: StorageSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watch = Watch()
    async with two_bots(settings, tmp_path, watch) as (one, two):
        one.api.script.answer("first " * 40)
        two.api.script.answer("second")
        async with one.answering("question", shows="first"):
            await take_over(settings, two)
            await kept(two)
            watch.ahead = 60.0
        assert await one.answered() == ["second"]
    gc.collect()  # what nobody has asked about is told in the log now
    assert {record.levelname for record in caplog.records} == {"WARNING"}


async def test_a_bot_forgets_what_it_took_in_and_another_has_answered(
    settings: StorageSettings, tmp_path: Path
) -> None:
    watch = Watch()
    async with two_bots(settings, tmp_path, watch) as (one, two):
        two.api.script.answer("answer")
        await one.lanes.drain(0)  # it takes in, but begins nothing any more
        await one.write("question")
        await kept(two)
        watch.ahead = FORGETS_AFTER
        turns_of(one).hear()
        await one.answered()


async def test_stop_is_obeyed_although_the_word_about_it_got_lost(
    settings: StorageSettings, tmp_path: Path
) -> None:
    async with two_bots(settings, tmp_path) as (one, _):
        one.api.script.answer("slow answer " * 40)
        async with one.answering("question"):
            async with connected(settings) as database:
                await database.write(lambda connection: lanes.stop(connection, CHAT, ()))
            await turns_of(one).leases.renew()  # as happens every few seconds
            await one.answered()
        assert one.platform.kept()[0].endswith("⏹ Stopped.")


@pytest.mark.parametrize("how", ["/stop", "the button"])
async def test_stop_is_heard_by_the_bot_that_writes(
    settings: StorageSettings, tmp_path: Path, how: str
) -> None:
    async with two_bots(settings, tmp_path) as (one, two):
        one.api.script.answer("slow answer " * 40)
        async with one.answering("question"):
            await two.happen(
                two.platform.message("/stop") if how == "/stop" else two.platform.press("⏹ Stop")
            )
            await one.answered()
        await two.answered()  # else what is said next waits, and either bot may answer it
        [answer] = one.platform.kept()
        assert answer.startswith("slow answer") and answer.endswith("⏹ Stopped.")
        assert (await two.say("/stop"))[1:] == ["Nothing is being written right now."]


async def test_what_another_bot_hears_was_deleted_is_not_answered(
    settings: StorageSettings, tmp_path: Path
) -> None:
    async with two_bots(settings, tmp_path) as (one, two):
        one.api.script.answer("slow answer " * 40)
        for house in (one, two):
            house.api.script.answer_with(lambda question: f"re {question.last_text}")
        first, second, third = (one.platform.message(text) for text in ("one", "two", "three"))
        async with one.answering(first):
            await one.happen(second)
            await one.happen(third)
            await one.sees("⏳ 2 messages before yours")
            await two.happen(deletion(second))
            await two.vanishes("⏳ 1 message before yours")
            await two.happen(deletion(first))
            await two.vanishes("slow")
        await kept(two)
        assert one.platform.kept() == ["re three"]
        history = await one.services.stores.conversations.history(CHAT)
        assert [each.message.text for each in history.newest] == ["three", "re three"]
