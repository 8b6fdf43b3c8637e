"""Real `bot run` processes between a sandbox and the scripted API."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientError, ClientSession

from bot.platforms.slack.manifest import manifest
from bot.sandbox.openai import ScriptedApi
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.telegram.telegram import Telegram
from tests.environment import in_slack, in_telegram, inherited, with_api
from tests.patience import PATIENCE, until

RUN = ("-m", "bot", "run")
ENDED_SOON = (
    "-c",
    """
import sys
from bot import serving
from bot.__main__ import main
serving.DRAIN = 0.5
sys.exit(main(["run"]))
""",
)
"""A bot that gives running answers half a second at its end."""


@asynccontextmanager
async def started(
    telegram: Telegram,
    api: ScriptedApi,
    folder: Path,
    *,
    program: Sequence[str] = RUN,
    **given: str,
) -> AsyncGenerator[Process]:
    """Start a bot with its database and its log in `folder`; it gets updates, and is ended after.

    Variables that are `given` replace those that are set here; `program` is what Python runs.
    """
    env = {
        **in_telegram(telegram),
        **with_api(api.url),
        "BOT_API__IMAGE_MODEL": "gpt-image-1",
        "BOT_API__TRANSCRIPTION_MODEL": "whisper-1",
        "BOT_ACCESS__ADMINS": '["telegram:1001"]',
        **given,
    }
    async with _process(folder, env, program) as process:
        async with asyncio.timeout(PATIENCE):
            updates = telegram.updates
            while not (updates.polling or updates.webhook_url):  # noqa: ASYNC110  # a state
                await asyncio.sleep(0.002)
        yield process


@asynccontextmanager
async def started_in_slack(
    slack: SlackSandbox,
    api: ScriptedApi,
    folder: Path,
    *,
    port: int = 0,
    program: Sequence[str] = RUN,
) -> AsyncGenerator[Process]:
    """Start a bot with its database and its log in `folder`; it is connected, and ended after.

    With `port`, the sandbox posts to it there. `program` is what Python runs.
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
    async with _process(folder, env, program) as process:
        if port:
            await until(lambda: _is_ready(port))
        else:
            await slack.wait_for(lambda: bool(slack.sockets.connected))
        yield process


def imported(folder: Path) -> set[str]:
    """The modules that a bot has loaded, where `PYTHONPROFILEIMPORTTIME` has it write them down."""
    lines = (folder / "log").read_text().splitlines()
    return {line.rpartition("|")[2].strip() for line in lines if line.startswith("import ")}


@asynccontextmanager
async def _process(
    folder: Path, env: dict[str, str], program: Sequence[str]
) -> AsyncGenerator[Process]:
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *program), cwd=folder, env=inherited() | env, stderr=log
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _is_ready(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/readyz"
    try:
        async with ClientSession() as session, session.get(address) as answer:
            return answer.status == 200
    except ClientError:
        return False
