"""An answer that was interrupted, and what becomes of its words after the restart."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.fakes.platform import ANN, CHAT, FakePlatform
from bot.core.types import ChatId, ChatRef, Event, StopPressed
from bot.sandbox.openai.faults import Hang, Refuse, Stall
from bot.sandbox.openai.scripted import Answer
from tests.house import open_house
from tests.patience import PATIENCE

SAID = "There is much to be told about this, "


async def interrupted(folder: Path, *, killed: bool) -> tuple[Path, FakePlatform]:
    """Ask, and end the bot in the middle of the answer; returns where it is to be started again."""
    async with open_house(folder) as house:
        house.api.script.answer(Answer(text=SAID * 20, chunk=len(SAID)))
        house.api.faults.add(Stall(after=4), on="/chat/completions")
        await house.write("tell me")
        await house.sees(SAID.strip())
        if killed:
            folder = await as_a_kill_leaves_it(folder)
    return folder, house.platform


async def as_a_kill_leaves_it(folder: Path) -> Path:
    """A copy of the database once some of the answer is written down."""
    after = folder / "after"
    after.mkdir()
    with closing(sqlite3.connect(folder / "house.db")) as running:
        async with asyncio.timeout(PATIENCE):
            query = "SELECT 1 FROM turns WHERE partial != ''"
            while not running.execute(query).fetchone():  # noqa: ASYNC110 - a view
                await asyncio.sleep(0.002)
        running.execute("VACUUM INTO ?", (str(after / "house.db"),))
    return after


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("how", ["/stop", "native"])
async def test_stop_while_the_bot_is_down_ends_the_answer_with_what_was_written(
    tmp_path: Path, how: str, *, killed: bool
) -> None:
    folder, platform = await interrupted(tmp_path, killed=killed)
    stop: Event = (
        platform.message("/stop")
        if how == "/stop"
        else StopPressed(key="stop", chat=CHAT, sender=ANN)
    )
    async with open_house(folder, platform=platform) as house:
        house.api.faults.add(Hang(), on="/chat/completions")
        await house.happen(stop)
        await house.sees("⏹ Stopped.")
        assert platform.kept()[0].startswith(SAID.strip())
        house.api.faults.clear()
        await house.say("go on")
        assert [role for role, _ in house.asked()] == ["system", "user", "assistant", "user"]


async def test_what_was_written_stays_when_the_api_fails_after_the_restart(tmp_path: Path) -> None:
    folder, platform = await interrupted(tmp_path, killed=False)
    async with open_house(folder, platform=platform) as house:
        house.api.faults.add(Refuse(401, "who are you?"), on="/chat/completions")
        await house.sees("⚠️")
        [text] = platform.kept()
        assert text.startswith(SAID.strip())
        assert "restarted" not in text
        assert platform.buttons() == ["🔁 Retry"]


async def test_what_an_interrupted_answer_has_used_counts(tmp_path: Path) -> None:
    folder, platform = await interrupted(tmp_path, killed=False)
    async with open_house(folder, platform=platform) as house:
        house.api.script.answer("whole now", "you are welcome")
        await house.say("thank you")  # is answered after it
        assert "Today: 3 requests" in (await house.say("/usage"))[-1]


async def test_what_was_used_for_somebody_who_has_left_counts(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        house.api.script.answer(Answer(text=SAID * 20, chunk=len(SAID), pace=0.01))
        await house.write("tell me")
        await house.sees(SAID.strip())
        house.platform.leave(CHAT)
        await house.answered()
        elsewhere = ChatRef("fake", ChatId("2"))
        assert "Today: 1 request," in (await house.say("/usage", chat=elsewhere))[-1]


async def test_what_was_written_is_kept_when_nothing_comes_after_the_restart(
    tmp_path: Path,
) -> None:
    folder, platform = await interrupted(tmp_path, killed=False)
    async with open_house(folder, platform=platform) as house:
        house.api.script.answer("")
        await house.sees("⚠️")
        [text] = platform.kept()
        assert text.startswith(SAID.strip())
        await house.say("go on")
        assert [role for role, _ in house.asked()] == ["system", "user", "assistant", "user"]
        assert SAID.strip() in str(house.asked()[2])
