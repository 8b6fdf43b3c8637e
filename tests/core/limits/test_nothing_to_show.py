"""Requests that brought nothing: those that are billed all the same count, the others do not."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from bot.api.settings import ModelSettings
from bot.core.question.listening import PARTS_AT_ONCE
from bot.core.types import IncomingMessage
from bot.sandbox.openai.faults import Drop, Fault, Hang, Raw, Refuse
from bot.sandbox.openai.scripted import Answer
from tests.attached import recording
from tests.core.limits.test_quota import own, rows
from tests.house import House, open_house
from tests.sounds import beeps

IMAGES, COMPLETIONS = "/images/generations", "/chat/completions"
TRANSCRIPTIONS = "/audio/transcriptions"
USAGE = "SELECT kind, images, estimated FROM usage ORDER BY id"


def spoken(house: House, text: str, sound: bytes) -> IncomingMessage:
    return house.platform.message(text, attachments=(recording(house, sound),))


async def stopped(house: House, text: str, sound: bytes = b"") -> list[str]:
    """Somebody asks, and stops it when the API works on it already."""
    message = spoken(house, text, sound) if sound else house.platform.message(text)
    await house.happen(message)
    await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    return await house.say("/stop")


async def test_a_picture_stopped_while_it_is_drawn_counts(tmp_path: Path) -> None:
    prices = {"gpt-image-1": ModelSettings(image_price=Decimal("0.04"))}
    async with open_house(tmp_path, quotas=own(daily_images=1), prices=prices) as house:
        house.api.faults.add(Hang(), on=IMAGES)
        assert "⏹ Stopped." in await stopped(house, "/image a cat")
        kept = await house.say("/image a dog")
        assert kept[-1].startswith("⚠️ You have reached your limit of 1 picture a day.")
        assert len(house.api.traffic.to(IMAGES)) == 1
    assert rows(tmp_path, USAGE) == [("image", 1, 1)]
    assert rows(tmp_path, "SELECT cost FROM usage") == [(40_000_000_000,)]


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        (Drop(), [("image", 2, 1)]),
        (Raw(b""), [("image", 2, 1)]),
        (Refuse(500), []),
        (Refuse(400), []),
    ],
)
async def test_a_picture_that_is_lost_counts_and_one_that_is_refused_does_not(
    tmp_path: Path, fault: Fault, counted: list[tuple[object, ...]]
) -> None:
    async with open_house(tmp_path) as house:
        house.api.faults.add(fault, on=IMAGES)
        assert (await house.say("/image a cat --n 2"))[-1].startswith("⚠️")
    assert rows(tmp_path, USAGE) == counted


async def test_a_chat_model_that_speaks_instead_of_drawing_is_heard_and_counts(
    tmp_path: Path,
) -> None:
    prices = {"gpt-4o": ModelSettings(protocol="chat")}
    async with open_house(tmp_path, prices=prices, quotas=own(daily_tokens=500)) as house:
        house.api.faults.add(Refuse(404, "use /v1/chat/completions"), on=IMAGES, times=None)
        spoken = Answer(text="I only draw dogs.", prompt_tokens=200, completion_tokens=300)
        house.api.script.answer(spoken)
        [text, *_] = await house.say("/image a cat --model gpt-4o")
        assert text == "⚠️ “gpt-4o” has drawn nothing. It says:\n\n> I only draw dogs."
        kept = await house.say("So do that.")
        assert kept[-1].startswith("⚠️ You have reached your limit of 500 tokens a day.")
        assert len(house.api.traffic.to(COMPLETIONS)) == 1
    used = "SELECT prompt_tokens, completion_tokens, images, estimated FROM usage"
    assert rows(tmp_path, used) == [(200, 300, 0, 0)]


@pytest.mark.parametrize("words", ["", "/transcribe"])
async def test_a_recording_stopped_while_it_is_heard_counts(tmp_path: Path, words: str) -> None:
    prices = {"whisper-1": ModelSettings(minute_price=Decimal("0.006"))}
    async with open_house(tmp_path, quotas=own(daily_audio_minutes="0.15"), prices=prices) as house:
        house.api.faults.add(Hang(), on=TRANSCRIPTIONS)
        assert "⏹ Stopped." in await stopped(house, words, beeps(6.0))
        kept = await house.tell(spoken(house, words, beeps(6.0)))
        assert kept[-1].startswith("⚠️ This takes 0.1 minutes of audio, and ")
        assert len(house.api.traffic.to(TRANSCRIPTIONS)) == 1
    [(kind, seconds, cost, estimated)] = rows(
        tmp_path, "SELECT kind, seconds, cost, estimated FROM usage"
    )
    assert (kind, seconds, estimated) == ("audio", pytest.approx(6, abs=0.1), 1)
    assert cost == pytest.approx(600_000_000, rel=0.02)


async def test_of_a_long_recording_that_is_stopped_only_what_was_sent_counts(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, part_seconds=5) as house:
        house.api.faults.add(Hang(), on=TRANSCRIPTIONS, times=None)
        await house.happen(spoken(house, "/transcribe", beeps(60.0)))
        await house.api.traffic.until(lambda seen: seen.in_flight == PARTS_AT_ONCE)
        assert (await house.say("/stop"))[0] == "⏹ Stopped."
    assert rows(tmp_path, "SELECT count(*), estimated FROM usage") == [(PARTS_AT_ONCE, 1)]


async def test_a_question_stopped_before_the_first_word_counts(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.api.faults.add(Hang(), on=COMPLETIONS)
        assert (await stopped(house, "word " * 2_000))[-1] == "⏹ Stopped."
    [(tokens, answered, estimated)] = rows(
        tmp_path, "SELECT prompt_tokens, completion_tokens, estimated FROM usage"
    )
    assert isinstance(tokens, int) and tokens > 2_000
    assert (answered, estimated) == (0, 1)


async def test_a_question_that_the_api_refused_does_not_count(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.api.faults.add(Refuse(500), on=COMPLETIONS)
        await house.say("hello")
    assert rows(tmp_path, "SELECT * FROM usage") == []
