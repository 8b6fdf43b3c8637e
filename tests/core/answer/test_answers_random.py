"""People ask, stop, regenerate and press old buttons while the API fails and the bot restarts."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.chat import FinishReason, KeptMessage, Role
from bot.core.fakes.platform import CHAT, FakePlatform
from bot.core.types import ButtonPress
from bot.sandbox.openai.backend import Question
from bot.sandbox.openai.faults import Cut, ErrorEvent, Fault, Refuse
from bot.sandbox.openai.scripted import Answer
from tests.house import QUICK, House, open_house

PAGE = 200
SEEDS = range(8)


class People:
    """What they do, by the dice of one run."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.house: House
        self.said = 0
        self.old: list[ButtonPress] = []

    def answer(self, question: Question) -> Answer:
        """Something to say: short or on pages, whole or at the length limit, now and then slow."""
        self.said += 1
        words = self.dice.choice([2, 2, 20, 120])
        thoughts = self.dice.choice(["", "", "let me see "])
        return Answer(
            text=" ".join(f"a{self.said}w{number}" for number in range(words)),
            reasoning=thoughts * 3,
            chunk=self.dice.choice([4, 30]),
            pace=self.dice.choice([0.0, 0.0, 0.002]),
            finish_reason=self.dice.choice([FinishReason.STOP] * 3 + [FinishReason.LENGTH]),
        )

    async def act(self) -> None:
        """One thing that somebody does, and mostly waiting for what comes of it."""
        match self.dice.randrange(9):
            case 0 | 1 | 2:
                await self.house.happen(self.house.platform.message(f"question {self.said}"))
            case 3 | 4:
                await self.press()
            case 5:
                await self.house.happen(self.house.platform.message("/stop"))
            case 6:
                faults: list[Fault] = [Cut(after=3), ErrorEvent(after=2), Refuse(500)]
                fault = self.dice.choice(faults)
                times = self.dice.choice([1, 2])
                self.house.api.faults.add(fault, on="/chat/completions", times=times)
            case 7 if self.old:
                await self.house.happen(self.dice.choice(self.old))
            case _:
                await self.house.happen(self.house.platform.message(self.dice.choice(COMMANDS)))
        if self.dice.random() < 0.7:
            await self.house.answered()
        else:
            await asyncio.sleep(self.dice.random() / 50)  # so that what comes next meets this

    async def press(self) -> None:
        """Press a button that is there, once or twice."""
        labels = self.house.platform.buttons()
        if not labels:
            return
        press = self.house.platform.press(self.dice.choice(labels))
        self.old.append(press)
        await self.house.happen(press)
        if self.dice.random() < 0.3:
            await self.house.happen(replace(press, key=f"{press.key}:again"))


COMMANDS = ("/retry", "/undo", "/new", "/help")


async def history(house: House) -> list[KeptMessage]:
    """What the model would be told."""
    conversations = house.services.stores.conversations
    return list(await conversations.page(await conversations.current(CHAT), limit=500))


def shown(house: House, kept: KeptMessage) -> str:
    """What stands in the messages of an answer."""
    texts = dict(zip(house.platform.refs(), house.platform.kept(), strict=True))
    return " ".join(texts[ref] for ref in kept.message.shown)


@pytest.mark.unwatched
@pytest.mark.parametrize("seed", SEEDS)
async def test_what_people_see_is_what_the_model_is_told(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", logger="bot")
    people = People(seed)
    platform: FakePlatform | None = None
    capabilities = replace(QUICK, max_text=PAGE)
    for last in (False, True):
        async with open_house(tmp_path, platform=platform, capabilities=capabilities) as house:
            people.house, platform = house, house.platform
            house.api.script.answer_with(people.answer)
            for _ in range(12):
                await people.act()
            if last:
                house.api.faults.clear()
                await house.happen(platform.message("the last question"))
                await house.answered()
                answers = [k for k in await history(house) if k.message.role is Role.ASSISTANT]
                standing = [ref for kept in answers for ref in kept.message.shown]
                assert len(standing) == len(set(standing))
                for kept in answers:
                    seen = " ".join(shown(house, kept).split())
                    assert seen.startswith(" ".join(kept.message.text.split()))
                assert answers[-1].message.text.startswith(f"a{people.said}w0")
                assert "⏹ Stop" not in platform.buttons()
                assert platform.typing_now == 0
                assert not any("💭" in text or "⏳" in text for text in platform.kept())
