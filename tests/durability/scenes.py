"""What happens in a kill test."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bot.sandbox.openai import ScriptedApi
from bot.store import StorageSettings, migrate
from tests.durability.town import RETRY, Survey, Town, Verdict
from tests.environment import with_api
from tests.processes import Bot, Launcher

PATIENCE = 180.0
PEOPLE = 3
"""Who asks in a scene about the database."""
LOOK_EVERY = 0.1
"""Seconds between looks at everything that people see."""


@dataclass(kw_only=True)
class Scene:
    """A town, the bot that serves it over a database in `folder`, and what people ask."""

    town: Town
    api: ScriptedApi
    launcher: Launcher
    folder: Path
    survey: Survey = field(init=False)

    def __post_init__(self) -> None:
        self.survey = Survey(self.town)

    async def start(
        self, *, fail_at: int | str = 0, different: dict[str, str] | None = None
    ) -> Bot:
        """Start the bot, or another one in whose environment something is different."""
        env = self.town.env | with_api(self.api.url) | (different or {})
        return await self.launcher.start(self.folder, env, fail_at=fail_at)

    async def either(self, bot: Bot, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds or the bot is dead."""
        seeing = asyncio.ensure_future(self.town.until(condition, PATIENCE))
        waits: set[asyncio.Future[Any]] = {seeing, bot.ended}
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if seeing.done():
            seeing.result()
        seeing.cancel()

    async def end(self, bot: Bot) -> Verdict:
        """Wait until everybody is answered, end the bot in good order, and judge.

        Whoever is told that an answer was interrupted three times presses Retry.
        """
        pressed: set[tuple[int, int]] = set()
        with suppress(TimeoutError):  # then the verdict says what is missing
            async with asyncio.timeout(PATIENCE):
                await self._until_over(pressed)
        assert await bot.terminate() in (0, -signal.SIGTERM)
        return self.survey.judge(self.database)

    async def _until_over(self, pressed: set[tuple[int, int]]) -> None:
        while not self.is_over():
            for person, count in self.survey.interrupted():
                if (person, count) not in pressed:
                    pressed.add((person, count))
                    await self.town.press(person, RETRY)
            await asyncio.sleep(LOOK_EVERY)

    @property
    def database(self) -> Path:
        """The file of the bot's database."""
        return self.folder / "chinwag.db"

    def is_over(self) -> bool:
        """Whether nothing waits or runs any more, and everybody sees their answers."""
        at_rest = self.survey.all_answered() and self.survey.all_at_rest()
        return not self.open_turns() and at_rest

    def open_turns(self) -> int:
        """How many turns wait or run."""
        with closing(sqlite3.connect(self.database)) as connection:
            query = "SELECT count(*) FROM turns WHERE state IN ('waiting', 'running', 'joined')"
            [count] = connection.execute(query).fetchone()
        return int(count)


async def make_template(folder: Path) -> Path:
    """A migrated database, to be copied."""
    file = folder / "template.db"
    await migrate.upgrade(StorageSettings(url=f"sqlite:///{file}"))
    return file


def make_folder(template: Path, name: str) -> Path:
    """A folder with an empty database, beside the template."""
    folder = template.parent / name
    folder.mkdir()
    shutil.copy(template, folder / "chinwag.db")
    return folder


async def die_at(scene: Scene, failpoint: int | str) -> tuple[Verdict, bool]:
    """Somebody asks three questions, and the bot dies at a failpoint; whether it did."""
    survey, town = scene.survey, scene.town
    bot = await scene.start(fail_at=failpoint)
    await survey.ask(1)
    await scene.either(bot, lambda: any("Answer to" in text for text in town.texts(1)))
    await survey.ask(1)
    await survey.ask(1)
    await scene.either(bot, survey.all_answered)
    if bot.running and await bot.terminate() == 0:
        return survey.judge(scene.database), False
    assert await bot.ended == -signal.SIGKILL
    return await scene.end(await scene.start()), True


async def kill_at_random(
    scene: Scene, *, seed: int, people: int, each: int, kills: int, seconds: float
) -> Verdict:
    """People ask while the bot is killed again and again, at moments that the seed chooses."""
    dice = random.Random(seed)
    asking = asyncio.create_task(_ask_all(scene, dice, people, each, seconds))
    bot = await scene.start()
    for _ in range(kills):
        await asyncio.sleep(dice.uniform(0.2, 1.8) * seconds / kills)
        scene.town.disturb(dice)
        await bot.kill()
        bot = await scene.start()
    await asking
    return await scene.end(bot)


async def terminate_under_load(
    scene: Scene, *, seed: int, people: int, each: int, times: int, seconds: float, grace: float
) -> Verdict:
    """People ask while the bot is told to end, and killed when that takes it longer than `grace`.

    That is what `docker stop` does.
    """
    dice = random.Random(seed)
    asking = asyncio.create_task(_ask_all(scene, dice, people, each, seconds))
    bot = await scene.start()
    for _ in range(times):
        await asyncio.sleep(dice.uniform(0.2, 1.8) * seconds / times)
        bot.signal(signal.SIGTERM)
        _, late = await asyncio.wait({bot.ended}, timeout=grace)
        if late:
            await bot.kill()
        bot = await scene.start()
    await asking
    return await scene.end(bot)


async def lose_the_database(
    scene: Scene,
    outage: AbstractContextManager[None],
    is_over: Callable[[], Awaitable[bool]],
    other: dict[str, str],
) -> Verdict:
    """A bot loses only its database in the middle of its answers, and another one answers.

    `is_over` tells whether the other one has written down the end of all answers.
    """
    one = await scene.start()
    for person in range(PEOPLE):
        await scene.survey.ask(person)
    texts = scene.town.texts
    await scene.either(
        one, lambda: all("Answer to" in "".join(texts(person)) for person in range(PEOPLE))
    )
    two = await scene.start(different=other)
    async with asyncio.timeout(PATIENCE):
        await _connected(f"http://127.0.0.1:{other['BOT_WEB__PORT']}/readyz")
    with outage:
        async with asyncio.timeout(PATIENCE):
            while not await is_over():  # noqa: ASYNC110 - another process's doing
                await asyncio.sleep(1.0)
        assert one.running
    assert [await bot.terminate() for bot in (one, two)] == [0, 0]
    return scene.survey.judge()


async def _connected(readyz: str) -> None:
    async with aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientConnectionError):  # nobody listens there yet
                async with session.get(readyz) as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(LOOK_EVERY)


async def _ask_all(
    scene: Scene, dice: random.Random, people: int, each: int, seconds: float
) -> None:
    turns = [person for person in range(people) for _ in range(each)]
    dice.shuffle(turns)
    for person in turns:
        await scene.survey.ask(person)
        await asyncio.sleep(seconds / len(turns))
