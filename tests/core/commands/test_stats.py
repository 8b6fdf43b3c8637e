"""`/stats` and `/language`: what an admin sees of the bot, and in which words everybody reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.api import silence
from bot.core.access import Access
from bot.core.fakes.platform import ANN
from bot.core.statistics import percentile
from bot.core.types import Sender, UserId
from bot.sandbox.openai.faults import Hang, Refuse
from bot.sandbox.openai.scripted import Answer
from tests.house import House, open_house

BOSS = Sender(UserId("7"), "Boss")
ACCESS = Access(open=True, admins=frozenset({"fake:7"}))


async def test_an_admin_sees_how_the_bot_is_doing(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        house.api.script.answer(Answer(text="Done.", prompt_tokens=30, completion_tokens=12))
        await house.say("hello")
        for _ in range(5):
            house.api.faults.add(Refuse(500), on="/chat/completions")
            await house.say("hello again")
        house.api.faults.add(Hang(), on="/chat/completions")
        await house.write("never answered")
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
        await house.write("and one that waits")
        await house.write("/stats", sender=BOSS)
        await house.sees("How I am doing")
        [text] = [each for each in house.platform.kept() if "How I am doing" in each]
        assert re.sub(r"\d+\.\d sec", "X", text) == (
            "**📊 How I am doing**\n\n"
            "- People: 2, 2 of them today\n"
            "- Chats: 1\n"
            "- Done today: 6; given up: 0\n"
            "- Right now: 1 being worked on, 1 waiting\n"
            "- First word after: X (p50), X (p95)\n"
            "- Whole answer after: X (p50), X (p95)\n"
            "- Used today: 1 request, 42 tokens, price unknown\n"
            "- API `127.0.0.1`: left alone after 5 failures"
        )


async def test_an_address_that_begins_to_fail_is_told(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        assert (await house.say("/stats", sender=BOSS))[-1].endswith("- API `127.0.0.1`: fine")
        for _ in range(2):
            house.api.faults.add(Refuse(500), on="/chat/completions")
            await house.say("hello")
        text = (await house.say("/stats", sender=BOSS))[-1]
        assert text.endswith("- API `127.0.0.1`: 2 failures in a row")


async def test_an_address_from_which_nothing_comes_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silence, "QUIET", 0.05)
    monkeypatch.setattr(silence, "SECONDS", 0.05)
    async with open_house(tmp_path, access=ACCESS) as house:
        await house.say("hello")
        house.api.faults.add(Hang(), times=None)
        await house.write("hello again")
        await house.sees("⏳")
        await house.write("/stats", sender=BOSS)
        await house.sees("- API `127.0.0.1`: nothing comes from it")


async def test_nobody_else_does(house: House) -> None:
    assert await house.say("/stats", sender=ANN) == ["/stats is only for the admins of this bot."]


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 3.0), (0.95, 4.0), (1.0, 4.0)])
def test_percentiles(share: float, value: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == value
    assert percentile([], share) is None


async def test_the_language_is_chosen_with_buttons_or_by_name(house: House) -> None:
    [text] = await house.say("/language")
    assert text.startswith("**Language**")
    await house.press("简体中文")
    assert (await house.say("/usage"))[-1] == "**你的用量**\n\n还没有用量。"
    await house.say("/language en")
    assert (await house.say("/usage"))[-1] == "**What you have used**\n\nNothing yet."


async def test_readers_of_traditional_chinese_get_chinese(house: House) -> None:
    for number, tag in enumerate(("zh-hant", "zh-TW", "zh_HK")):
        sender = Sender(UserId(f"t{number}"), "阿明", language=tag)
        assert (await house.say("/usage", sender=sender))[-1].startswith("**你的用量**")


async def test_an_answer_without_a_word_and_a_single_failure_are_part_of_it(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        await house.say("hello")
        house.api.faults.add(Hang(), on="/chat/completions")
        await house.write("never answered")
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
        await house.say("/stop")
        house.api.faults.add(Refuse(500), on="/chat/completions")
        await house.say("hello again")
        text = (await house.say("/stats", sender=BOSS))[-1]
        assert "- First word after: " in text and "- Whole answer after: " in text
        assert text.endswith("- API `127.0.0.1`: 1 failure")
        await house.say("and now?")
        assert (await house.say("/stats", sender=BOSS))[-1].endswith("- API `127.0.0.1`: fine")
