"""A real `bot run` process between the sandbox Telegram and the scripted API."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.sandbox.openai import ScriptedApi
from bot.sandbox.telegram.telegram import Telegram
from tests.environment import inherited


@asynccontextmanager
async def started(
    telegram: Telegram, api: ScriptedApi, folder: Path, **given: str
) -> AsyncGenerator[Process]:
    """Start a bot with its database and its log in `folder`; it gets updates, and is ended after.

    Variables that are `given` replace those that are set here.
    """
    env = inherited() | {
        "BOT_TELEGRAM__TOKEN": telegram.token,
        "BOT_TELEGRAM__BASE_URL": telegram.base_url,
        "BOT_API__BASE_URLS": f'["{api.url}"]',
        "BOT_API__KEY": "sk-sandbox",
        "BOT_API__MODEL": "gpt-4o-mini",
        "BOT_API__IMAGE_MODEL": "gpt-image-1",
        "BOT_API__TRANSCRIPTION_MODEL": "whisper-1",
        "BOT_API__MAX_IN_FLIGHT": "1000",
        "BOT_ACCESS__OPEN": "true",
        "BOT_ACCESS__ADMINS": '["telegram:1001"]',
        "BOT_LOG__FORMAT": "json",
        **given,
    }
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=folder, env=env, stderr=log
        )
        try:
            async with asyncio.timeout(30):
                updates = telegram.updates
                while not (updates.polling or updates.webhook_url):  # noqa: ASYNC110  # a state
                    await asyncio.sleep(0.002)
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
