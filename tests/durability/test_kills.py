"""Killed at any instant, and started again: every message has exactly one answer, in order.

A short, seeded version; the long one is `python -m tests.durability.long`.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.durability.long import Opener, Series, slack_town, telegram_town, webhook_town
from tests.durability.scenes import die_at, kill_at_random, make_template, terminate_under_load
from tests.durability.town import Verdict
from tests.patience import until
from tests.processes import Launcher

NOTHING_WRONG = Verdict()


@pytest.fixture
async def series(launcher: Launcher, tmp_path: Path) -> Series:
    return Series(launcher, await make_template(tmp_path))


@pytest.mark.parametrize(
    "failpoint", ["before sendMessage", "after sendMessage", "after editMessageText"]
)
async def test_a_kill_around_a_post_leaves_no_trace(series: Series, failpoint: str) -> None:
    async with series.scene(telegram_town, words=10, pace=0.01) as scene:
        assert await die_at(scene, failpoint) == (NOTHING_WRONG, True)


async def test_a_kill_after_the_first_text_in_slack_leaves_no_trace(series: Series) -> None:
    async with series.scene(slack_town, words=10, pace=0.01) as scene:
        assert await die_at(scene, "after chat.startStream") == (NOTHING_WRONG, True)


async def test_a_kill_after_a_note_to_somebody_who_waits_leaves_no_trace(series: Series) -> None:
    async with series.scene(slack_town, words=10, pace=0.01) as scene:
        with scene.api.held():
            bot = await scene.start(fail_at="after chat.postMessage")
            await scene.survey.ask(1)
            await scene.town.until(lambda: scene.town.at_work(1), within=20)
            await scene.survey.ask(1)
            assert await bot.ended == -signal.SIGKILL
        assert await scene.end(await scene.start()) == NOTHING_WRONG


async def test_a_kill_leaves_no_sign_of_work_below_a_question_that_is_answered_with_the_next(
    series: Series,
) -> None:
    async with series.scene(slack_town, words=10, pace=0.01) as scene:
        with scene.api.held():
            bot = await scene.start()
            await scene.survey.ask(1)
            await scene.town.until(lambda: scene.town.at_work(1), within=20)
            await scene.survey.ask(1)
            await until(lambda: scene.open_turns() == 2)
            await bot.kill()
        assert await scene.end(await scene.start()) == NOTHING_WRONG


@pytest.mark.parametrize("town", [telegram_town, webhook_town, slack_town])
async def test_kills_at_random_moments(series: Series, town: Opener) -> None:
    async with series.scene(town, words=10, pace=0.01) as scene:
        verdict = await kill_at_random(scene, seed=7, people=3, each=3, kills=2, seconds=2)
    assert verdict == NOTHING_WRONG


async def test_sigterm_under_load(series: Series) -> None:
    async with series.scene(telegram_town, words=60, pace=0.02) as scene:
        verdict = await terminate_under_load(
            scene, seed=7, people=4, each=2, times=1, seconds=1, grace=10
        )
    assert verdict == NOTHING_WRONG


async def test_stop_that_was_pressed_while_the_bot_was_down_ends_the_answer(series: Series) -> None:
    async with series.scene(telegram_town, words=400, pace=0.05) as scene:

        def sees(begin: str, end: str) -> bool:
            texts = scene.town.texts(1)
            return any(text.startswith(begin) and text.endswith(end) for text in texts)

        bot = await scene.start()
        await scene.survey.ask(1)
        await scene.either(bot, lambda: sees("Answer to q1x0. word", ""))
        await bot.kill()
        await scene.town.press(1, "⏹ Stop")
        bot = await scene.start()
        await scene.town.until(lambda: sees("Answer to q1x0.", "⏹ Stopped."), within=20)
        assert await bot.terminate() == 0
