"""An API that is down for a while: messages wait for it, and say so."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot.api import silence
from bot.core.fakes.clock import ManualClock
from bot.sandbox.openai.faults import Drop, Fault, Hang, Refuse
from bot.sandbox.openai.traffic import Traffic
from tests.house import DEFAULTS, House, open_house

KEEPS_TRYING = "⏳ The API does not answer just now. I keep trying…"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def patient(tmp_path: Path, clock: ManualClock) -> AsyncGenerator[House]:
    defaults = replace(DEFAULTS, patience=60.0)
    async with open_house(tmp_path, defaults=defaults, clock=clock) as house:
        yield house


@pytest.mark.parametrize("fault", [Refuse(503), Refuse(429), Drop()])
async def test_a_message_waits_for_an_api_that_is_down_and_is_answered(
    patient: House, clock: ManualClock, fault: Fault
) -> None:
    patient.api.faults.add(fault, on="/chat/completions")
    await patient.write("hello")
    await patient.sees(KEEPS_TRYING)
    await clock.advance(2.0)
    [text] = await patient.answered()
    assert text.startswith("**You said:** hello")


async def test_stop_ends_the_wait(patient: House) -> None:
    patient.api.faults.add(Refuse(503), on="/chat/completions", times=None)
    await patient.write("hello")
    await patient.sees(KEEPS_TRYING)
    assert await patient.say("/stop") == ["⏹ Stopped."]


async def test_what_does_not_pass_by_itself_is_said_at_once(patient: House) -> None:
    patient.api.faults.add(Refuse(401), on="/chat/completions", times=None)
    [text] = await patient.say("hello")
    assert text.startswith("⚠️ I am not set up properly")


async def test_what_takes_too_long_is_not_asked_for_again_and_again(tmp_path: Path) -> None:
    defaults = replace(DEFAULTS, patience=60.0)
    async with open_house(tmp_path, defaults=defaults, first_event_timeout=0.2) as house:
        house.api.faults.add(Hang(), on="/chat/completions", times=None)
        [text] = await house.say("hello")
        assert text.startswith("⚠️ The API took too long to answer")
        assert len(house.api.traffic.to("/chat/completions")) <= 1  # this house tries nothing twice


async def test_patience_ends(tmp_path: Path, clock: ManualClock) -> None:
    defaults = replace(DEFAULTS, patience=3.0)
    async with open_house(tmp_path, defaults=defaults, clock=clock) as house:
        house.api.faults.add(Refuse(503), on="/chat/completions", times=None)
        await house.write("hello")
        await house.sees(KEEPS_TRYING)
        await clock.advance(2.0)
        [text] = await house.answered()
        assert text.startswith("⚠️ The API is having trouble")
        assert len(house.api.traffic.to("/chat/completions")) == 2


async def test_no_model_is_said_to_think_while_the_api_is_down(
    patient: House, clock: ManualClock
) -> None:
    patient.api.faults.add(Refuse(503), on="/chat/completions", times=None)
    await patient.write("hello")
    for tries, pause in ((1, 2.0), (2, 4.0), (3, 7.0)):
        await patient.api.traffic.until(partial(_has_refused, tries))
        await patient.sees(KEEPS_TRYING)
        await clock.advance(pause)
    await clock.settle()
    assert patient.platform.screen() == [KEEPS_TRYING]
    assert not any("Thinking" in text for frame in patient.platform.frames for text in frame)


async def test_a_server_that_says_nothing_is_not_said_to_think(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "QUIET", 0.05)
    monkeypatch.setattr(silence, "SECONDS", 0.05)
    async with open_house(tmp_path) as house:
        await house.say("hello")
        house.api.faults.add(Hang(), times=None)
        await house.write("are you there?")
        await house.sees(KEEPS_TRYING)
        [line] = [each for each in await house.say("/stop") if "Stopped" in each]
        assert KEEPS_TRYING not in line


def _has_refused(tries: int, traffic: Traffic) -> bool:
    return len(traffic.to("/chat/completions")) == tries and not traffic.in_flight
