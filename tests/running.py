"""Real `bot run` processes between a sandbox and the scripted API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientError, ClientSession

from bot.platforms.slack.manifest import manifest
from bot.sandbox.openai import ScriptedApi
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.telegram.telegram import Telegram
from tests.environment import in_slack, in_telegram, with_api
from tests.patience import until
from tests.processes import Bot, Launcher

ENDED_SOON = "from bot import serving; serving.DRAIN = 0.5"
"""The prelude of a bot that gives running answers half a second at its end."""


@asynccontextmanager
async def started(
    launcher: Launcher,
    telegram: Telegram,
    api: ScriptedApi,
    folder: Path,
    *,
    env: Mapping[str, str] | None = None,
    prelude: str = "",
    fresh: bool = False,
) -> AsyncGenerator[Bot]:
    """Start a bot with its database and its log in `folder`; it gets updates, and is ended after.

    `env` goes before the variables that are set here. `prelude` and `fresh` as in `Order`.
    """
    all_env = {
        **in_telegram(telegram),
        **with_api(api.url),
        "BOT_API__IMAGE_MODEL": "gpt-image-1",
        "BOT_API__TRANSCRIPTION_MODEL": "whisper-1",
        "BOT_ACCESS__ADMINS": '["telegram:1001"]',
        **(env or {}),
    }
    async with _ended(await launcher.start(folder, all_env, prelude=prelude, fresh=fresh)) as bot:
        updates = telegram.updates
        await until(lambda: updates.polling or updates.webhook_url)
        yield bot


@asynccontextmanager
async def started_in_slack(
    launcher: Launcher,
    slack: SlackSandbox,
    api: ScriptedApi,
    folder: Path,
    *,
    port: int = 0,
    prelude: str = "",
    fresh: bool = False,
) -> AsyncGenerator[Bot]:
    """Start a bot with its database and its log in `folder`; it is connected, and ended after.

    With `port`, the sandbox posts to it there. `prelude` and `fresh` as in `Order`.
    """
    slack.workspace.install(manifest([]))
    env = in_slack(slack) | with_api(api.url)
    if port:
        slack.sockets.webhook, slack.sockets.secret = f"http://127.0.0.1:{port}/slack", "made-up"
        env |= {
            "BOT_SLACK__MODE": "http",
            "BOT_SLACK__SIGNING_SECRET": "made-up",
            "BOT_WEB__PORT": str(port),
        }
    async with _ended(await launcher.start(folder, env, prelude=prelude, fresh=fresh)) as bot:
        if port:
            await until(lambda: _is_ready(port))
        else:
            await slack.wait_for(lambda: bool(slack.sockets.connected))
        yield bot


def imported(folder: Path) -> set[str]:
    """The modules that a bot has loaded, where `PYTHONPROFILEIMPORTTIME` has it write them down."""
    lines = (folder / "log").read_text().splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import ")}


@asynccontextmanager
async def _ended(bot: Bot) -> AsyncGenerator[Bot]:
    try:
        yield bot
    finally:
        await bot.terminate()


async def _is_ready(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/readyz"
    try:
        async with ClientSession() as session, session.get(address) as answer:
            return answer.status == 200
    except ClientError:
        return False
