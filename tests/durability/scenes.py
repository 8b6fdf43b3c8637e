"""What happens in a kill test."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.sandbox.openai import ScriptedApi
from bot.store import StorageSettings, migrate
from tests.durability.processes import Bot, Launcher
from tests.durability.town import Survey, Town, Verdict

PATIENCE = 60.0


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

    async def start(self, *, fail_at: int = 0) -> Bot:
        """Start the bot."""
        env = self.town.env | {
            "BOT_API__BASE_URLS": f'["{self.api.url}"]',
            "BOT_API__KEY": "sk-sandbox",
            "BOT_API__MODEL": "gpt-4o-mini",
            "BOT_API__MAX_IN_FLIGHT": "1000",
            "BOT_ACCESS__OPEN": "true",
            "BOT_LOG__FORMAT": "json",
        }
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
        """Wait until everybody is answered, end the bot in good order, and judge."""
        await self.town.until(self.survey.all_answered, PATIENCE)
        assert await bot.terminate() == 0
        return self.survey.judge(self.folder / "chinwag.db")


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


async def die_at(scene: Scene, number: int) -> tuple[Verdict, bool]:
    """Somebody asks three questions, and the bot dies at a failpoint; whether it did."""
    survey, town = scene.survey, scene.town
    bot = await scene.start(fail_at=number)
    await survey.ask(number)
    await scene.either(bot, lambda: any("Answer to" in text for text in town.texts(number)))
    await survey.ask(number)
    await survey.ask(number)
    await scene.either(bot, survey.all_answered)
    if bot.running and await bot.terminate() == 0:
        return survey.judge(scene.folder / "chinwag.db"), False
    assert await bot.ended == -signal.SIGKILL
    return await scene.end(await scene.start()), True
