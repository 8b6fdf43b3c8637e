"""The same on PostgreSQL, which does not know by itself that a bot was killed.

And which cannot be reached now and then.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.openai import serve_scripted
from tests.durability.scenes import Scene
from tests.durability.telegram import TelegramTown
from tests.durability.town import reply
from tests.processes import Bot, Launcher
from tests.store.firewall import Firewall, firewall
from tests.store.postgres import Server

SOON = 30.0
"""Seconds for the rest of an answer, many times what it takes; less than a bot waits for the end of
a statement, which nobody waits for here."""
PEOPLE = (1, 2, 3)
URL = "BOT_STORAGE__URL"


_names = itertools.count()


@dataclass(frozen=True, slots=True)
class Place:
    """Where scenes are played."""

    postgres: Server
    launcher: Launcher
    folder: Path

    @asynccontextmanager
    async def scene(self, way: Firewall | None = None) -> AsyncGenerator[Scene]:
        """A scene with a database of its own; something may stand on the way to the server."""
        database = f"durability_{next(_names)}"
        await self.postgres.execute(f"CREATE DATABASE {database}")
        async with (
            telegram_sandbox.serve(judge=False) as telegram,
            serve_scripted(key="sk-sandbox") as api,
        ):
            api.script.answer_with(reply(20, 0.05))
            town = TelegramTown(telegram)
            town.env[URL] = (way.server if way else self.postgres).url(database)
            yield Scene(town=town, api=api, launcher=self.launcher, folder=self.folder)

    @asynccontextmanager
    async def answering(self) -> AsyncGenerator[tuple[Firewall, Scene, Bot]]:
        """A bot behind a firewall, in the middle of its answers."""
        async with firewall(self.postgres) as wall, self.scene(wall) as scene:
            bot = await scene.start()
            await ask(scene, bot)
            yield wall, scene, bot


@pytest.fixture
def place(postgres: Server, launcher: Launcher, tmp_path: Path) -> Place:
    return Place(postgres, launcher, tmp_path)


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


async def test_a_bot_that_was_killed_goes_on_as_soon_as_it_is_started(place: Place) -> None:
    async with place.scene() as scene:
        bot = await scene.start()
        await ask(scene, bot, people=[1])
        await bot.kill()
        never = "UPDATE turns SET lease_until = lease_until + interval '1 day'"
        await place.postgres.execute(never, str(make_url(scene.town.env[URL]).database))
        bot = await scene.start()
        await end(scene, bot)
        assert len(scene.town.texts(1)) == 1


async def test_answers_go_on_when_a_firewall_has_forgotten_the_connections(
    place: Place,
) -> None:
    async with place.answering() as (wall, scene, bot):
        wall.forget()
        await scene.survey.ask(2)
        await end(scene, bot)


async def test_answers_are_shown_while_the_database_is_out_of_reach(place: Place) -> None:
    async with place.answering() as (wall, scene, bot):
        with wall.shut():
            await scene.town.until(scene.survey.all_answered, SOON)
            await scene.survey.ask(2)
        await end(scene, bot)


async def test_a_bot_ends_in_time_while_the_database_is_out_of_reach(place: Place) -> None:
    async with place.answering() as (wall, scene, bot):
        with wall.shut():
            await scene.survey.ask(2)
            async with asyncio.timeout(SOON):
                assert await bot.terminate() == 0
        bot = await scene.start()
        await end(scene, bot)
