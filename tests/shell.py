"""The bot as somebody at a shell starts it: a process, its streams and its exit code."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import TypeAlias

from bot.sandbox.openai import ScriptedApi
from tests.environment import inherited
from tests.patience import PATIENCE
from tests.processes import Launcher

COMMAND = (sys.executable, "-m", "bot")


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str


Shell: TypeAlias = Callable[..., Ended]
"""Runs `bot ARGUMENTS` in this process."""


def settings(api: ScriptedApi | None = None, **more: str) -> dict[str, str]:
    """The environment of a process: nothing of ours but these settings."""
    base = inherited() | {"TERM": "xterm-256color"}
    if api is not None:
        base |= {
            "BOT_API__BASE_URLS": json.dumps([api.url]),
            "BOT_API__KEY": "k-sandbox",
            "BOT_API__MODEL": "gpt-4o-mini",
        }
    return base | {f"BOT_{name}": value for name, value in more.items()}


async def bot(
    launcher: Launcher,
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    typed: str = "",
    fresh: bool = False,
) -> Ended:
    """Run `bot ARGUMENTS` in a folder to its end, with `typed` on a pipe as its standard input.

    `fresh` as in `Order`.
    """
    keyboard, typing = os.pipe()
    os.write(typing, typed.encode())
    os.close(typing)
    with os.fdopen(keyboard) as typed_there, TemporaryFile() as out, TemporaryFile() as err:
        process = await launcher.start(
            folder,
            env or settings(),
            arguments=arguments,
            streams=[each.fileno() for each in (typed_there, out, err)],
            fresh=fresh,
        )
        try:
            async with asyncio.timeout(PATIENCE):
                code = await process.ended
        finally:
            await process.kill()
        for each in (out, err):
            each.seek(0)
        return Ended(code=code, out=out.read().decode(), err=err.read().decode())
