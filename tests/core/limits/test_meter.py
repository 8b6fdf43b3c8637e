"""Every request to the API reaches the usage table, with what it cost and how long it took."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.core.chat import ChatRequest, ReasoningDelta, TextDelta
from bot.core.fakes.clock import ManualClock
from bot.core.limits.calendar import Calendar
from bot.core.limits.meter import Meter
from bot.core.types import Sender, UserId
from bot.sandbox.openai.faults import Cut
from bot.sandbox.openai.scripted import Answer
from tests.attached import picture, recording
from tests.house import open_house
from tests.patience import until

Row = dict[str, object]


def table(folder: Path) -> list[Row]:
    """The usage table, oldest first."""
    with closing(sqlite3.connect(folder / "house.db")) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("SELECT * FROM usage ORDER BY id")]


async def test_every_kind_of_request_is_kept_with_its_cost(tmp_path: Path) -> None:
    async with open_house(tmp_path, list_prices=True) as house:
        await house.say("hello")
        await house.say("/image a cat")
        house.api.script.transcribe("How are you?")
        file = recording(house)
        await house.tell(house.platform.message("", attachments=(file,)))
    chat, image, audio, answer = table(tmp_path)
    assert [row["kind"] for row in (chat, image, audio, answer)] == [
        "chat",
        "image",
        "audio",
        "chat",
    ]
    for row in (chat, image, audio, answer):
        assert row["cost"], row
        assert isinstance(row["latency"], float)
        assert row["latency"] > 0
        assert not row["estimated"]
    assert isinstance(chat["first_token"], float)
    assert chat["prompt_tokens"]
    assert image["images"] == 1


async def test_the_first_token_is_the_first_that_comes(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        clock = ManualClock()
        meter = Meter(house.services.api, clock, len)
        meter.begin(ChatRequest(model="m", messages=()))
        for event in (ReasoningDelta("hm"), TextDelta("one"), TextDelta("two")):
            await clock.advance(1)
            meter.take(event)
        [entry] = meter.entries()
        assert (entry.first_token, entry.latency) == (1, 3)


async def test_an_answer_that_was_cut_and_asked_for_again_costs_twice(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.api.faults.add(Cut(after=3), on="/chat/completions")
        await house.say("hello there my friend")
    cut, whole = table(tmp_path)
    assert cut["estimated"]
    assert cut["prompt_tokens"]
    assert cut["completion_tokens"]
    assert not whole["estimated"]


@pytest.mark.parametrize(("photos", "least", "most"), [(0, 5, 20), (1, 1000, 1200)])
async def test_a_stopped_answer_is_estimated_by_what_was_said_and_shown(
    tmp_path: Path, photos: int, least: int, most: int
) -> None:
    async with open_house(tmp_path) as house:
        house.api.script.answer(Answer(text="word " * 1000, chunk=5, pace=0.02))
        shown = (picture(house),) * photos
        await house.happen(house.platform.message("go on for ever", attachments=shown))
        await house.sees("word")
        await house.say("/stop")
    (row,) = table(tmp_path)
    assert row["estimated"]
    assert isinstance(row["prompt_tokens"], int)
    assert least < row["prompt_tokens"] < most
    assert isinstance(row["completion_tokens"], int)
    assert 1 <= row["completion_tokens"] < 1000


async def test_who_was_forgotten_is_in_the_books_until_the_month_is_over(tmp_path: Path) -> None:
    now = [datetime.now(UTC)]
    calendar = Calendar(now=lambda: now[0])
    eve = Sender(UserId("5"), "Eve")
    async with open_house(tmp_path, calendar=calendar) as house:
        await house.say("hello", sender=eve)
        await house.say("/forget me yes", sender=eve)
        assert [row["user_id"] for row in table(tmp_path)] == ["5"]
    now[0] += timedelta(days=32)
    async with open_house(tmp_path, platform=house.platform, calendar=calendar) as house:
        await house.say("hello")
        await until(lambda: "5" not in [row["user_id"] for row in table(tmp_path)])
        assert [row["user_id"] for row in table(tmp_path)] == ["", "1"]
