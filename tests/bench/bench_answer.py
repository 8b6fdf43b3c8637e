"""How long people wait for an answer, and what it costs, with many chats at once.

    python -m tests.bench.bench_answer [--platform telegram slack] [--chats 1 20 50 100 200 400]
        [--limits off on hard] [--answer short long markdown stall cut]
        [--style edit draft rich rich-draft] [--bot chinwag bare] [--python PATH]

A real `bot run` process, and beside it for comparison a bare loop with an ideal pacer, against the
sandbox of the platform and a model in a process of their own. After one question that does not
count, everybody asks at the same moment; the model says pieces of 8 characters at 25 a second
(`tests.bench.answers`). The styles are those of Telegram; Slack has one, and the bare loop always
edits. Printed: how many answers are complete and exact, calls refused (429), first text after the
question and after the model's first word, whole text after its last word, CPU of the bot per
answer, memory, start to first poll. Absolute figures hold for one machine: compare with the bare
loop of the same run. Memory and start depend on what else is installed (httpx loads click and rich
where it finds them, 4 MB): with `--python` of an installation from `requirements.lock` they are
what an operator sees.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.answers import ANSWERS
from tests.bench.bench_start import cpu_seconds, installed, megabytes
from tests.bench.model import NAME
from tests.environment import ROOT, with_api

BOTS = {"bare": ["-m", "tests.bench.bare"], "chinwag": ["-m", "bot", "run"]}
STYLES = {
    "edit": {},
    "draft": {"BOT_TELEGRAM__STREAMING": "draft"},
    "rich": {"BOT_TELEGRAM__RICH": "true"},
    "rich-draft": {"BOT_TELEGRAM__STREAMING": "draft", "BOT_TELEGRAM__RICH": "true"},
}
SETTLED = 1.0
"""Seconds after the first poll at which idle memory is read."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is measured in one line of the table."""

    platform: str
    limits: str
    answer: str
    style: str
    chats: int
    bot: str
    python: str


async def measure(case: Case) -> str:
    """Run a case; returns its line."""
    with tempfile.TemporaryDirectory(prefix="chinwag-bench-") as folder:
        async with _servers(case) as servers:
            opened = await _line(servers)
            began = time.perf_counter()
            async with _bot(case, opened, Path(folder)) as bot:
                start = (await _connected(servers, bot)) - began
                await asyncio.sleep(SETTLED)
                idle = megabytes(bot.pid)
                await _go(servers)
                await _line(servers)
                before = cpu_seconds(bot.pid)
                await _go(servers)
                result = await _line(servers)
                cpu, busy = cpu_seconds(bot.pid) - before, megabytes(bot.pid, peak=True)
            await _go(servers)
    waits = "  ".join(_percentiles(result[name]) for name in ("first", "after_token", "whole"))
    return (
        f"{case.bot:8}{case.chats:5}  {result['exact']:4}/{case.chats:<4}{result['refused']:4}  "
        f"{waits}  {cpu / case.chats:6.3f}  {idle:5.1f} {busy:5.1f}  {start:5.2f}"
    )


HEADER = (
    "                                first text s    after its      whole text     CPU s  "
    "memory MB    start\n"
    "bot     chats     exact  429      p50    p95    token s        s           /answer   "
    "idle  busy     s"
)


def _percentiles(seconds: Sequence[float]) -> str:
    if not seconds:
        return f"{'-':>6} {'-':>6}"
    p95 = statistics.quantiles((*seconds, *seconds), n=100)[94]
    return f"{statistics.median(seconds):6.3f} {p95:6.3f}"


# ---------------------------------------------------------------- the processes


@asynccontextmanager
async def _servers(case: Case) -> AsyncGenerator[Process]:
    words = (case.platform, case.limits, case.answer, str(case.chats))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.servers", *words, stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    async with _ended(process):
        yield process


@asynccontextmanager
async def _bot(case: Case, opened: dict[str, Any], folder: Path) -> AsyncGenerator[Process]:
    env = (
        installed() | opened["address"] | STYLES[case.style] | with_api(opened["model"], model=NAME)
    )
    words = [*BOTS[case.bot], *([case.platform] if case.bot == "bare" else [])]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            case.python, *words, cwd=folder, env=env, stdout=log, stderr=log
        )
        try:
            async with _ended(process):
                yield process
        finally:
            if kept := os.environ.get("BENCH_LOG"):
                await asyncio.to_thread((folder / "log").replace, kept)


@asynccontextmanager
async def _ended(process: Process) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _line(process: Process) -> dict[str, Any]:
    assert process.stdout is not None  # it is a pipe
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the servers have ended")
    found: dict[str, Any] = json.loads(line)
    return found


async def _connected(servers: Process, bot: Process) -> float:
    """When the bot made its first call; an error instead of waiting for one that has ended."""
    line, ended = asyncio.create_task(_line(servers)), asyncio.create_task(bot.wait())
    await asyncio.wait({line, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if not line.done():
        line.cancel()
        raise RuntimeError("the bot has ended; BENCH_LOG=FILE keeps what it said")
    connected: float = line.result()["connected"]
    return connected


async def _go(process: Process) -> None:
    assert process.stdin is not None  # it is a pipe
    process.stdin.write(b"go\n")
    await process.stdin.drain()


# ---------------------------------------------------------------- the command line


async def main() -> None:
    """Print a table per platform, limits, answer and style; a line per number of chats and bot."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_answer")
    one = ["telegram", "slack"]
    parser.add_argument("--platform", nargs="+", choices=one, default=["telegram"])
    parser.add_argument("--chats", nargs="+", type=int, default=[1, 20, 50, 100, 200])
    modes = ["off", "on", "hard"]
    parser.add_argument("--limits", nargs="+", choices=modes, default=["off", "on"])
    parser.add_argument("--answer", nargs="+", choices=list(ANSWERS), default=["short"])
    parser.add_argument("--style", nargs="+", choices=list(STYLES), default=["edit"])
    parser.add_argument("--bot", nargs="+", choices=list(BOTS), default=list(BOTS))
    parser.add_argument("--python", default=sys.executable)
    wanted = parser.parse_args()
    tables = itertools.product(wanted.platform, wanted.limits, wanted.answer, wanted.style)
    for platform, limits, answer, style in tables:
        print(f"\n{platform}, limits {limits}, {answer} answers, style {style}\n{HEADER}")
        for chats, bot in itertools.product(wanted.chats, wanted.bot):
            case = Case(
                platform=platform,
                limits=limits,
                answer=answer,
                style=style,
                chats=chats,
                bot=bot,
                python=wanted.python,
            )
            print(await measure(case), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
