"""Bot processes of a kill test: started by the launcher, ended by signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.environment import inherited


class Bot:
    """One `bot run` process."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return not self.ended.done()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if there is somebody to hear it."""
        if self.running:
            os.kill(self.pid, number)

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.signal(signal.SIGKILL)
        await self.ended

    async def terminate(self) -> int:
        """Ask it to end; returns its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended


class Launcher:
    """Starts bot processes; `inherited` is the environment that they all have."""

    def __init__(self, process: Process, inherited: dict[str, str]) -> None:
        self._process = process
        self._inherited = inherited
        self._bots: dict[int, Bot] = {}
        self._starting: asyncio.Queue[Bot] = asyncio.Queue()

    async def start(self, folder: Path, env: dict[str, str], *, fail_at: int | str = 0) -> Bot:
        """Start a bot with its database and log in `folder`; it dies at failpoint `fail_at`."""
        order = {"env": self._inherited | env, "folder": str(folder), "fail_at": fail_at}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return await self._starting.get()

    async def listen(self) -> None:
        """Hear what the launcher says."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            words = json.loads(line)
            if "started" in words:
                bot = self._bots[words["started"]] = Bot(words["started"])
                self._starting.put_nowait(bot)
            else:
                self._bots.pop(words["ended"]).ended.set_result(words["code"])

    async def end(self) -> None:
        """Kill the bots that are left."""
        for bot in list(self._bots.values()):
            await bot.kill()


@asynccontextmanager
async def launching() -> AsyncGenerator[Launcher]:
    """A launcher; what it started is killed at the end of the block."""
    environment = inherited()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.durability.launcher"),
        stdin=PIPE,
        stdout=PIPE,
        env=environment,
    )
    launcher = Launcher(process, environment)
    listening = asyncio.create_task(launcher.listen())
    try:
        yield launcher
    finally:
        await launcher.end()
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        listening.cancel()
        await asyncio.wait({listening})
