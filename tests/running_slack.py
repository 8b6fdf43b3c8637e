"""A real `bot run` process between the sandbox Slack and the scripted API."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientError, ClientSession

from bot.platforms.slack.manifest import manifest
from bot.sandbox.openai import ScriptedApi
from bot.sandbox.slack.server import SlackSandbox
from tests.environment import inherited


@asynccontextmanager
async def started(
    slack: SlackSandbox, api: ScriptedApi, folder: Path, *, port: int = 0
) -> AsyncGenerator[Process]:
    """Start a bot with its database and its log in `folder`; it is connected, and ended after.

    With `port`, the sandbox posts to it there.
    """
    slack.workspace.install(manifest([]))
    env = inherited() | {
        **in_slack(slack),
        "BOT_API__BASE_URLS": f'["{api.url}"]',
        "BOT_API__KEY": "sk-sandbox",
        "BOT_API__MODEL": "gpt-4o-mini",
        "BOT_ACCESS__OPEN": "true",
        "BOT_LOG__FORMAT": "json",
    }
    if port:
        slack.sockets.webhook, slack.sockets.secret = f"http://127.0.0.1:{port}/slack", "made-up"
        env |= {
            "BOT_SLACK__MODE": "http",
            "BOT_SLACK__SIGNING_SECRET": "made-up",
            "BOT_WEB__PORT": str(port),
        }
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=folder, env=env, stderr=log
        )
        try:
            if port:
                async with asyncio.timeout(30):
                    while not await _is_ready(port):  # noqa: ASYNC110  # a state, no event
                        await asyncio.sleep(0.01)
            else:
                await slack.wait_for(lambda: bool(slack.sockets.connected), 30)
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def in_slack(slack: SlackSandbox) -> dict[str, str]:
    """The settings of a bot that is in this Slack."""
    return {
        "BOT_SLACK__BOT_TOKEN": slack.bot_token,
        "BOT_SLACK__APP_TOKEN": slack.app_token,
        "BOT_SLACK__BASE_URL": slack.base_url,
    }


async def _is_ready(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/readyz"
    try:
        async with ClientSession() as session, session.get(address) as answer:
            return answer.status == 200
    except ClientError:
        return False
