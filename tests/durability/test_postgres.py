"""The same on PostgreSQL, which does not know by itself that a bot was killed.

And which cannot be reached now and then.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.openai import serve_scripted
from tests.durability.processes import Bot, launching
from tests.durability.scenes import Scene
from tests.durability.telegram import TelegramTown
from tests.durability.town import reply
from tests.store.conftest import WITHOUT
from tests.store.firewall import Firewall, firewall
from tests.store.postgres import Server, running_server

SOON = 20.0
"""Seconds for the rest of an answer; less than a lease, which nobody waits for."""
PEOPLE = (1, 2, 3)


@pytest.fixture
def postgres() -> Iterator[Server]:
    if os.environ.get(WITHOUT):
        pytest.skip(f"{WITHOUT} is set")
    with running_server() as server:
        yield server


@asynccontextmanager
async def scene_on(
    postgres: Server, folder: Path, way: Firewall | None = None
) -> AsyncGenerator[Scene]:
    """Something may stand on the way to the server."""
    await postgres.execute("CREATE DATABASE durability")
    async with (
        telegram_sandbox.serve(judge=False) as telegram,
        serve_scripted(key="sk-sandbox") as api,
        launching() as launcher,
    ):
        api.script.answer_with(reply(20, 0.05))
        town = TelegramTown(telegram)
        town.env["BOT_STORAGE__URL"] = (way.server if way else postgres).url("durability")
        yield Scene(town=town, api=api, launcher=launcher, folder=folder)


async def ask(scene: Scene, bot: Bot, people: Sequence[int] = PEOPLE) -> None:
    """People ask, and see that they are answered."""
    for person in people:
        await scene.survey.ask(person)
    texts = scene.town.texts
    await scene.either(
        bot, lambda: all(any("Answer to" in text for text in texts(person)) for person in people)
    )


async def end(scene: Scene, bot: Bot) -> None:
    """All have their answers soon, and the bot ends well."""
    await scene.town.until(scene.survey.all_answered, SOON)
    assert await bot.terminate() == 0
    assert scene.survey.judge().good


@asynccontextmanager
async def answering(postgres: Server, folder: Path) -> AsyncGenerator[tuple[Firewall, Scene, Bot]]:
    """A bot behind a firewall, in the middle of its answers."""
    async with firewall(postgres) as wall, scene_on(postgres, folder, wall) as scene:
        bot = await scene.start()
        await ask(scene, bot)
        yield wall, scene, bot


async def test_a_bot_that_was_killed_goes_on_as_soon_as_it_is_started(
    postgres: Server, tmp_path: Path
) -> None:
    async with scene_on(postgres, tmp_path) as scene:
        bot = await scene.start()
        await ask(scene, bot, people=[1])
        await bot.kill()
        bot = await scene.start()
        await end(scene, bot)
        assert len(scene.town.texts(1)) == 1


async def test_answers_go_on_when_a_firewall_has_forgotten_the_connections(
    postgres: Server, tmp_path: Path
) -> None:
    async with answering(postgres, tmp_path) as (wall, scene, bot):
        wall.forget()
        await scene.survey.ask(2)
        await end(scene, bot)


async def test_answers_are_shown_while_the_database_is_out_of_reach(
    postgres: Server, tmp_path: Path
) -> None:
    async with answering(postgres, tmp_path) as (wall, scene, bot):
        with wall.shut():
            await scene.town.until(scene.survey.all_answered, SOON)
            await scene.survey.ask(2)
        await end(scene, bot)


async def test_a_bot_ends_in_time_while_the_database_is_out_of_reach(
    postgres: Server, tmp_path: Path
) -> None:
    async with answering(postgres, tmp_path) as (wall, scene, bot):
        with wall.shut():
            await scene.survey.ask(2)
            async with asyncio.timeout(SOON):
                assert await bot.terminate() == 0
        bot = await scene.start()
        await end(scene, bot)
