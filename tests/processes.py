"""Processes of the bot: started by the launcher, ended by signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.environment import inherited


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A process to start: `bot ARGUMENTS` with its environment, in its working directory.

    `prelude` is Python that runs before it. One that is `fresh` begins with nothing imported and
    reads its environment as Python does at its start; it has no prelude and no failpoints.
    """

    arguments: Sequence[str]
    env: dict[str, str]
    folder: str
    prelude: str = ""
    fail_at: int | str = 0
    fresh: bool = False


class Bot:
    """One process of the bot. `ended` has its exit code, negative for a signal."""

    def __init__(self, pid: int, ended: Coroutine[Any, Any, int]) -> None:
        self.pid = pid
        self.ended = asyncio.create_task(ended)

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
    """Starts processes of the bot; `address` is where the program listens."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._started: list[Bot] = []

    async def start(
        self,
        folder: Path,
        env: Mapping[str, str],
        *,
        arguments: Sequence[str] = ("run",),
        streams: Sequence[int] = (),
        prelude: str = "",
        fail_at: int | str = 0,
        fresh: bool = False,
    ) -> Bot:
        """Start `bot ARGUMENTS` in a folder, with this added to the environment of all.

        `streams` are what it reads, writes and complains to; else it reads and writes nothing, and
        complains in a file `log` there. The rest as in `Order`.
        """
        order = Order(
            arguments=arguments,
            env=inherited() | dict(env),
            folder=str(folder),
            prelude=prelude,
            fail_at=fail_at,
            fresh=fresh,
        )
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._address)
        with _log_only(folder) if not streams else nullcontext(streams) as given:
            socket.send_fds(connection, [json.dumps(asdict(order)).encode() + b"\n"], given)
        said, end = await asyncio.open_unix_connection(sock=connection)
        bot = Bot(int(await said.readline()), _code(said, end))
        self._started.append(bot)
        return bot

    async def end(self) -> None:
        """Kill the bots that are left."""
        for bot in self._started:
            await bot.kill()


async def _code(said: asyncio.StreamReader, end: asyncio.StreamWriter) -> int:
    try:
        return int(await said.readline())
    finally:
        end.close()
        await end.wait_closed()


@contextmanager
def _log_only(folder: Path) -> Iterator[Sequence[int]]:
    with Path(os.devnull).open("r+b") as nothing, (folder / "log").open("ab") as log:
        yield nothing.fileno(), nothing.fileno(), log.fileno()


@contextmanager
def launching() -> Iterator[str]:
    """A launcher's address; what it started and did not end is killed at the end of the block."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as door:
        door.bind(f"{folder}/launcher")
        door.listen()
        command = (sys.executable, "-m", "tests.launcher", str(door.fileno()))
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, pass_fds=[door.fileno()], env=inherited()
        ):
            yield door.getsockname()
