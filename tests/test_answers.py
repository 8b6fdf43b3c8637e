"""Answers as somebody sees them in Telegram, from a real process: buttons, drafts, thoughts."""

from __future__ import annotations

from pathlib import Path

from bot.core.chat import FinishReason
from bot.sandbox.openai import ScriptedApi
from bot.sandbox.openai.faults import Stall
from bot.sandbox.openai.scripted import Answer
from bot.sandbox.telegram.telegram import Telegram
from tests.processes import Launcher
from tests.running import started

SLOW = "slow words " * 30


async def test_an_answer_is_regenerated_continued_and_its_thoughts_are_folded_up(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    api.script.answer(
        Answer(reasoning="A coin, then.", text="Heads"),
        Answer(text="Tails it", finish_reason=FinishReason.LENGTH),
        "is, surely.",
    )
    async with started(launcher, telegram, api, tmp_path):
        chat.send("flip a coin")
        seen = await chat.wait_for(lambda s: s.last and s.last.buttons == (("🔁 Regenerate",),))
        assert seen.last is not None
        assert seen.last.text.startswith("Heads\n\n💭 Thought for ")
        assert seen.last.text.endswith(" s\nA coin, then.")
        assert seen.last.entities[-1]["type"] == "expandable_blockquote"
        chat.press("🔁 Regenerate")
        seen = await chat.wait_for(lambda s: "length limit is reached" in s.text)
        assert len(seen.answers) == 1
        chat.press("➡️ Continue")
        await chat.wait_for(lambda s: s.text == "Tails it is, surely.")
        assert len(chat.screen().answers) == 1


async def test_a_draft_is_stopped_with_telegrams_own_button_and_kept(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    api.script.answer(SLOW)
    api.faults.add(Stall(after=4), on="/chat/completions")
    async with started(launcher, telegram, api, tmp_path):
        chat.send("/settings streaming draft")
        await chat.wait_for(lambda s: "a draft" in s.text)
        before = len(chat.screen().answers)
        chat.send("tell me")
        seen = await chat.wait_for(lambda s: s.draft and "slow words slow" in s.draft.text)
        assert len(seen.answers) == before
        chat.stop_draft()
        seen = await chat.wait_for(lambda s: s.last and "⏹ Stopped." in s.last.text)
        assert seen.draft is None and seen.last is not None
        assert seen.last.text.startswith("slow words slow")
        assert len(seen.answers) == before + 1


async def test_a_draft_whose_process_was_killed_becomes_a_message(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    api.script.answer(SLOW)
    api.faults.add(Stall(after=4), on="/chat/completions")
    async with started(launcher, telegram, api, tmp_path) as bot:
        chat.send("/settings streaming draft")
        await chat.wait_for(lambda s: "a draft" in s.text)
        chat.send("tell me")
        await chat.wait_for(lambda s: s.draft and "slow words slow" in s.draft.text)
        await bot.kill()
    api.script.answer("Whole now.")
    async with started(launcher, telegram, api, tmp_path):
        seen = await chat.wait_for(lambda s: s.last and s.last.text == "Whole now.")
        assert seen.draft is None


async def test_a_table_is_drawn_in_a_rich_message(
    launcher: Launcher, telegram: Telegram, api: ScriptedApi, tmp_path: Path
) -> None:
    chat = telegram.person(name="Ann").private()
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    api.script.answer(table, table)
    async with started(launcher, telegram, api, tmp_path):
        chat.send("a table")
        await chat.wait_for(lambda s: "1 │ 2" in s.text)
        chat.send("/settings rich on")
        await chat.wait_for(lambda s: "drawn" in s.text)
        chat.send("again")
        await chat.wait_for(lambda s: s.last and s.last.rich == table)
