"""How long `bot run` takes from the command to the first poll, and how much memory it then holds.

    python -m tests.bench.bench_start [RUNS]

A real process with a fresh SQLite file polls the sandbox Telegram over loopback; the database is
made in the first run and migrated already in the others. Memory is the resident set (Linux).
"""

from __future__ import annotations

import asyncio
import compileall
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox import telegram as telegram_sandbox
from tests.environment import ROOT, in_telegram, inherited

IDLE = 3.0
"""Seconds after the first poll at which memory and idle CPU are read."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """One start: seconds to the first poll, megabytes, seconds of CPU to it and while idle."""

    seconds: float
    megabytes: float
    cpu: float
    idle_cpu: float


def installed() -> dict[str, str]:
    """The environment of a bot that is installed: without settings, and compiled."""
    compileall.compile_dir(ROOT / "bot", quiet=1)
    return inherited()


async def measure(folder: Path) -> Start:
    """Start a bot in a folder, wait for its first poll, and end it."""
    async with telegram_sandbox.serve(judge=False) as telegram:
        settings = {"BOT_API__KEY": "k-bench", "BOT_API__MODEL": "some-model"}
        env = installed() | in_telegram(telegram) | settings
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=folder, env=env, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(30):
                while not telegram.updates.polling:  # noqa: ASYNC110  # a state, no event
                    await asyncio.sleep(0.002)
            seconds = time.perf_counter() - began
            cpu = cpu_seconds(process.pid)
            await asyncio.sleep(IDLE)
            memory, idle_cpu = megabytes(process.pid), cpu_seconds(process.pid) - cpu
        finally:
            if process.returncode is None:
                process.terminate()
            _, log = await process.communicate()
            if process.returncode:
                print(log.decode(), file=sys.stderr)
    return Start(seconds=seconds, megabytes=memory, cpu=cpu, idle_cpu=idle_cpu)


def megabytes(pid: int, *, peak: bool = False) -> float:
    """The resident set of a process, now or at its largest."""
    name = "VmHWM:" if peak else "VmRSS:"
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1000
    raise RuntimeError("no memory figures: this needs Linux")


def cpu_seconds(pid: int) -> float:
    """The processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(runs: int) -> None:
    """Print a line per start and the medians."""
    with tempfile.TemporaryDirectory() as folder:
        starts = [await measure(Path(folder)) for _ in range(runs)]
    print("first poll after   CPU to it   memory idle   CPU idle")
    for start in starts:
        idle = start.idle_cpu / IDLE
        print(f"{start.seconds:10.2f} s {start.cpu:13.2f} s {start.megabytes:10.1f} MB {idle:9.1%}")
    again = starts[1:] or starts
    print(
        f"median of the starts with a database: "
        f"{statistics.median(start.seconds for start in again):.2f} s, "
        f"{statistics.median(start.megabytes for start in again):.1f} MB"
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5))
