"""Thumbs under an answer: when they are there, what a press does, and what the operator learns."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.answer import feedback
from bot.core.fakes.platform import ANN, CHAT
from bot.core.stores import Rating
from bot.core.types import ButtonPress, Feedback, Sender, UserId
from bot.sandbox.openai.faults import Cut, Refuse
from bot.store import StorageSettings, admin
from tests.house import QUICK, House, open_house

BEN = Sender(UserId("2"), "Ben")
WU = Sender(UserId("3"), "小吴", language="zh-hans")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path, capabilities=replace(QUICK, feedback=True)) as house:
        yield house


def thumbs(house: House) -> Feedback:
    """The question under the newest answer."""
    found = house.platform.sent[-1].feedback
    assert found is not None
    return found


async def press(house: House, value: str, sender: Sender = ANN) -> None:
    number = len(house.platform.notices)
    ref = house.platform.refs()[-1]
    key = f"thumb-{sender.id}-{number}"
    await house.tell(ButtonPress(key=key, ref=ref, sender=sender, value=value))


async def opinions(folder: Path) -> tuple[int, int]:
    status = await admin.status(StorageSettings(url=f"sqlite:///{folder}/house.db"))
    return status.liked, status.disliked


async def test_a_thumb_is_thanked_for_kept_and_logged(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    assert await house.say("hello") == house.platform.kept()
    await press(house, thumbs(house).good)
    assert house.platform.notices == ["Thank you!"]
    assert await opinions(tmp_path) == (1, 0)
    (record,) = [record for record in caplog.records if record.message == "rated"]
    done = next(record for record in caplog.records if record.message == "turn done")
    assert (record.__dict__["rated_turn"], record.__dict__["good"]) == (done.__dict__["turn"], True)


async def test_the_last_word_of_each_person_counts(house: House, tmp_path: Path) -> None:
    await house.say("hello")
    await press(house, thumbs(house).good)
    await press(house, thumbs(house).bad)
    await press(house, thumbs(house).bad, BEN)
    assert await opinions(tmp_path) == (0, 2)
    await house.say("and another")
    await press(house, thumbs(house).good, WU)
    assert house.platform.notices[-1] == "谢谢！"
    assert await opinions(tmp_path) == (1, 2)


async def test_only_an_answer_is_asked_about(house: House) -> None:
    house.api.faults.add(Refuse(400), on="/chat/completions")
    await house.say("hello")
    assert house.platform.sent[-1].feedback is None
    await house.say("/help")
    assert house.platform.sent[-1].feedback is None
    house.api.script.answer("", "a beginning", "a beginning")
    await house.say("hello")
    assert house.platform.sent[-1].feedback is None
    house.api.faults.add(Cut(after=2), on="/chat/completions", times=2)
    await house.say("hello")
    assert house.platform.sent[-1].feedback is None
    await house.say("hello")
    found = feedback.read(CHAT, ANN.id, thumbs(house).bad)
    assert found is not None
    assert (found.good, found.model) == (False, "gpt-4o-mini")


async def test_thumbs_stand_under_the_last_page_only(tmp_path: Path) -> None:
    capabilities = replace(QUICK, feedback=True, max_text=100)
    async with open_house(tmp_path, capabilities=capabilities) as house:
        house.api.script.answer("word " * 100)
        kept = await house.say("go")
        asking = {reply.text for reply in house.platform.sent if reply.feedback}
        assert asking == {kept[-1]}


async def test_a_platform_without_thumbs_is_given_none(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        await house.say("hello")
        assert house.platform.sent[-1].feedback is None


@pytest.mark.parametrize(
    "value", ["", "rate", "rate:+:x:m", "rate:*:1:m", f"rate:+:{10**30}:m", "stop"]
)
def test_other_values_are_no_thumbs(value: str) -> None:
    assert feedback.read(CHAT, ANN.id, value) is None


@pytest.mark.parametrize("model", ["", "a:b:c", "vendor/модель\n2"])
def test_a_thumb_remembers_any_model(model: str) -> None:
    found = feedback.read(CHAT, ANN.id, feedback.ask_opinion(12, model).good)
    assert found == Rating(chat=CHAT, user=ANN.id, turn_id=12, model=model, good=True)
