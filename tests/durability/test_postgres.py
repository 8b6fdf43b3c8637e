"""The same on PostgreSQL, which does not know by itself that a bot was killed."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.openai import serve_scripted
from tests.durability.processes import launching
from tests.durability.scenes import Scene
from tests.durability.telegram import TelegramTown
from tests.durability.town import reply
from tests.store.conftest import WITHOUT
from tests.store.postgres import Server, running_server

SOON = 20.0
"""Seconds for the rest of an answer; less than a lease, which nobody waits for."""


@pytest.fixture
def postgres() -> Iterator[Server]:
    if os.environ.get(WITHOUT):
        pytest.skip(f"{WITHOUT} is set")
    with running_server() as server:
        yield server


@asynccontextmanager
async def scene_on(postgres: Server, folder: Path) -> AsyncGenerator[Scene]:
    await postgres.execute("CREATE DATABASE durability")
    async with (
        telegram_sandbox.serve(judge=False) as telegram,
        serve_scripted(key="sk-sandbox") as api,
        launching() as launcher,
    ):
        api.script.answer_with(reply(20, 0.05))
        town = TelegramTown(telegram)
        town.env["BOT_STORAGE__URL"] = postgres.url("durability")
        yield Scene(town=town, api=api, launcher=launcher, folder=folder)


async def test_a_bot_that_was_killed_goes_on_as_soon_as_it_is_started(
    postgres: Server, tmp_path: Path
) -> None:
    async with scene_on(postgres, tmp_path) as scene:
        bot = await scene.start()
        await scene.survey.ask(1)
        await scene.either(bot, lambda: any("Answer to" in text for text in scene.town.texts(1)))
        await bot.kill()
        bot = await scene.start()
        await scene.town.until(scene.survey.all_answered, SOON)
        assert len(scene.town.texts(1)) == 1
        assert await bot.terminate() == 0
