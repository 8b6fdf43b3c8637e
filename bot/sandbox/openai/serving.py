"""Puts a server and its models together: scripted for tests, local for people without a key."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.sandbox.openai.faults import Faults, Stall
from bot.sandbox.openai.refusal import Refusal
from bot.sandbox.openai.scripted import Script, ScriptedBackend
from bot.sandbox.openai.server import serve
from bot.sandbox.openai.state import ServerState
from bot.sandbox.openai.traffic import Traffic
from bot.sandbox.openai.weights import check_packages

if TYPE_CHECKING:
    from bot.sandbox.openai.local import LocalBackend

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedApi:
    """A running scripted API: where it is, what it says, what goes wrong, what it saw."""

    url: str
    script: Script
    faults: Faults
    traffic: Traffic

    @contextmanager
    def held(self, after: int = 2) -> Iterator[None]:
        """The next chat completion comes to a halt after so many events while the block runs.

        The first event of a stream holds no text yet.
        """
        going_on = asyncio.Event()
        self.faults.add(Stall(after=after, until=going_on), on="/chat/completions")
        try:
            yield
        finally:
            going_on.set()


@asynccontextmanager
async def serve_scripted(
    *, port: int = 0, key: str = "", max_in_flight: int = 0
) -> AsyncIterator[ScriptedApi]:
    """Serve a scripted model; port 0 takes a free one. `ServerState` tells of the others."""
    script = Script()
    server = ServerState(backend=ScriptedBackend(script), key=key, max_in_flight=max_in_flight)
    async with serve(server, port=port) as url:
        yield ScriptedApi(url=url, script=script, faults=server.faults, traffic=server.traffic)


@asynccontextmanager
async def serve_local() -> AsyncIterator[str]:
    """Serve the models of the extra `local`; yields the base URL. No key is asked for.

    The language model begins to load in the background. Raises `ConfigError` when a package of
    the extra is missing.
    """
    check_packages()
    from bot.sandbox.openai.local import LocalBackend

    backend = LocalBackend()
    server = ServerState(backend=backend, traffic=Traffic(keep_requests=False))
    loading = asyncio.create_task(_load_ahead(backend))
    try:
        async with serve(server) as url:
            yield url
    finally:
        loading.cancel()
        with suppress(asyncio.CancelledError):
            await loading
        await backend.close()


async def _load_ahead(backend: LocalBackend) -> None:
    try:
        await backend.load()
    except Refusal:
        logger.exception("local model cannot be loaded")
