from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.answer import answer as conversation
from bot.core.answer import thinking
from bot.core.answer.thinking import Thinking
from bot.core.fakes.platform import CHAT, FakePlatform, ManualClock
from bot.core.i18n import texts
from bot.core.types import Thoughts
from bot.sandbox.openai.faults import Cut, Hang
from bot.sandbox.openai.scripted import Answer
from tests.house import DEFAULTS, QUICK, House, open_house

THOUGHTFUL = Answer(reasoning="hm " * 20, text="Yes.", chunk=3, pace=0.01)


def thoughts_shown(house: House) -> Thoughts | None:
    """The thoughts under the newest message."""
    return house.platform.sent[-1].thoughts


async def test_the_seconds_are_counted_aloud_also_while_the_model_is_silent() -> None:
    clock, said = ManualClock(), list[str]()
    mind = Thinking(said.append, clock=clock, texts=texts("en"), every=2.0)

    async def think() -> None:
        with mind.counting():
            await clock.sleep(5)  # nothing is known of what the model does
            mind.think("Let me see.")
            await clock.sleep(5)
            mind.think(" Indeed.")
            mind.speak()
            await clock.sleep(1)

    await clock.drive(think())
    assert said == ["💭 Thinking…", "💭 Thinking… 1 s", "💭 Thinking… 3 s"]
    assert mind.thoughts == Thoughts(title="💭 Thought for 5 s", text="Let me see. Indeed.")


async def test_no_seconds_are_told_before_there_is_one() -> None:
    clock, said = ManualClock(), list[str]()
    mind = Thinking(said.append, clock=clock, texts=texts("en"), every=2.0)

    async def think() -> None:
        with mind.counting():
            await clock.sleep(1.5)
            mind.think("Let me see.")
            await clock.sleep(3)

    await clock.drive(think())
    assert said == ["💭 Thinking…", "💭 Thinking… 2 s"]


async def test_a_long_silence_is_called_thinking_too() -> None:
    clock, said = ManualClock(), list[str]()
    mind = Thinking(said.append, clock=clock, texts=texts("zh-hans"), every=2.0)

    async def wait() -> None:
        with mind.counting():
            await clock.sleep(13)

    await clock.drive(wait())
    assert said == ["💭 思考中……10 秒", "💭 思考中……12 秒"]
    assert mind.thoughts is None


async def test_thoughts_are_folded_up_under_the_answer(house: House) -> None:
    house.api.script.answer(THOUGHTFUL)
    assert await house.say("is it?") == ["Yes."]
    shown = thoughts_shown(house)
    assert shown is not None
    assert shown.title.startswith("💭 Thought for ") and shown.text.startswith("hm hm")
    await house.say("sure?")
    assert thoughts_shown(house) is None
    assert ("assistant", "Yes.") in house.asked()  # the model is not told what it thought


async def test_who_does_not_want_to_read_thoughts_hides_them(house: House) -> None:
    await house.say("/settings reasoning hidden")
    house.api.script.answer(THOUGHTFUL)
    await house.say("is it?")
    assert thoughts_shown(house) is None
    assert any("💭 Thinking…" in text for frame in house.platform.frames for text in frame)


@pytest.mark.parametrize(
    ("capabilities", "defaults"),
    [
        (replace(QUICK, folds=False), DEFAULTS),
        (QUICK, replace(DEFAULTS, reasoning="hidden")),
    ],
)
async def test_thoughts_are_hidden_where_nothing_folds_or_the_operator_says_so(
    tmp_path: Path, capabilities: object, defaults: object
) -> None:
    assert isinstance(capabilities, type(QUICK)) and isinstance(defaults, type(DEFAULTS))
    async with open_house(tmp_path, capabilities=capabilities, defaults=defaults) as house:
        house.api.script.answer(THOUGHTFUL)
        await house.say("is it?")
        assert thoughts_shown(house) is None


async def test_an_answer_asked_for_again_shows_its_own_thoughts_only(house: House) -> None:
    torn = Answer(reasoning="bad ", text="The first try was torn.", chunk=4)
    house.api.script.answer(torn, Answer(reasoning="good ", text="The whole."))
    house.api.faults.add(Cut(after=4), on="/chat/completions")
    await house.say("tell me")
    shown = thoughts_shown(house)
    assert shown is not None and shown.text == "good"


async def test_thoughts_without_an_answer_are_not_shown_under_the_one_from_before(
    house: House,
) -> None:
    house.api.script.answer("Yes.", Answer(reasoning="hm " * 20, text=""))
    await house.say("is it?")
    [text] = await house.press("🔁 Regenerate")
    assert text.startswith("Yes.")
    assert thoughts_shown(house) is None


async def test_thinking_takes_the_place_of_the_line_about_waiting(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinking, "SILENCE", 0.0)
    monkeypatch.setattr(conversation, "TICK", 0.01)
    house.api.script.answer("slow " * 10)
    async with house.answering():
        await house.write("second")
        await house.sees("⏳")
        house.api.faults.add(Hang(), on="/chat/completions")
    await house.sees("💭 Thinking…")
    assert len(house.platform.kept()) == 2
    await house.say("/stop")
    assert house.platform.kept()[-1] == "⏹ Stopped."


async def test_nothing_is_counted_any_more_once_the_answer_stands(house: House) -> None:
    house.api.script.answer(THOUGHTFUL)
    await house.say("is it?")
    assert [task for task in asyncio.all_tasks() if task.get_name() == "thinking"] == []
    assert isinstance(house.platform, FakePlatform) and house.platform.typing_now == 0
    assert house.platform.kept(CHAT) == ["Yes."]
