"""A firewall before the tests' PostgreSQL: lets nothing through, with or without a word."""

from __future__ import annotations

import asyncio
import tempfile
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from tests.store.postgres import Server

_SOCKET = ".s.PGSQL.5432"
_BYTES = 65_536


class Firewall:
    """Passes on what both sides say; `home` is where a client finds it."""

    def __init__(self, home: Path, server: Server) -> None:
        self.server = Server(home)
        self.connections = 0
        """How many have been let through so far."""
        self._behind = server
        self._forgotten = 0
        self._refuses = False
        self._open = asyncio.Event()
        self._open.set()
        self._passing: list[asyncio.Task[None]] = []
        self._writers: list[StreamWriter] = []

    def forget(self) -> None:
        """Nothing gets through any more on the connections there are; new ones are let through."""
        self._forgotten = self.connections

    @contextmanager
    def cut(self) -> Iterator[None]:
        """All connections end, and in the block none can be made: both ends are told at once."""
        self._refuses = True
        self._abort()
        try:
            yield
        finally:
            self._refuses = False

    @contextmanager
    def shut(self) -> Iterator[None]:
        """Nothing gets through in the block; then all that was said, since TCP says it again."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def let_through(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one connection."""
        if self._refuses:
            writer.transport.abort()
            return
        await self._open.wait()
        self.connections += 1
        number = self.connections
        there, to_server = await asyncio.open_unix_connection(self._behind.home / _SOCKET)
        self._writers += [writer, to_server]
        for passing in ((reader, to_server), (there, writer)):
            self._passing.append(asyncio.create_task(self._pass_on(number, *passing)))

    async def _pass_on(self, number: int, reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_BYTES):
                await self._open.wait()
                if number > self._forgotten:
                    writer.write(data)
        if number > self._forgotten:
            writer.close()

    async def close(self) -> None:
        """Let go of all connections."""
        self._abort()
        await asyncio.gather(*self._passing)

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def firewall(server: Server) -> AsyncGenerator[Firewall]:
    """A firewall before a server."""
    with tempfile.TemporaryDirectory(prefix="chinwag-wall-") as name:
        wall = Firewall(Path(name), server)
        listening = await asyncio.start_unix_server(wall.let_through, Path(name) / _SOCKET)
        try:
            yield wall
        finally:
            listening.close()
            await wall.close()
