"""The bot as somebody at a shell starts it: a process, its streams and its exit code."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bot.sandbox.openai import ScriptedApi
from tests.environment import inherited
from tests.patience import PATIENCE

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
    *arguments: str, folder: Path, env: Mapping[str, str] | None = None, typed: str = ""
) -> Ended:
    """Run `bot ARGUMENTS` in a folder to its end, with `typed` on standard input."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        cwd=folder,
        env=dict(env or settings()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate(typed.encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return Ended(code=process.returncode or 0, out=out.decode(), err=err.decode())
