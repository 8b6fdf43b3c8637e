"""Clients and servers for the tests of the client."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest
from pydantic import SecretStr

from bot.api.client import ApiClient
from bot.api.settings import ApiSettings
from bot.core.clock import SystemClock
from tests.api.wire_server import WireServer, wire_server
from tests.loop_time import LoopTime

Connect = Callable[..., ApiClient]


class EagerClock(SystemClock):
    """Real time, in which waiting before a retry takes none; remembers how long it was."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self.slept.append(seconds)
        await super().sleep(0)


@pytest.fixture
def clock() -> EagerClock:
    return EagerClock()


@pytest.fixture
async def time(monkeypatch: pytest.MonkeyPatch) -> LoopTime:
    """That of the deadlines; it stands still until it is told."""
    return LoopTime(monkeypatch)


@pytest.fixture
async def server() -> AsyncIterator[WireServer]:
    async with wire_server() as served:
        yield served


@pytest.fixture
async def backup() -> AsyncIterator[WireServer]:
    async with wire_server() as served:
        yield served


@pytest.fixture
async def connect(server: WireServer, clock: EagerClock) -> AsyncIterator[Connect]:
    """Makes clients of `server` with these settings, and closes them at the end."""
    async with AsyncExitStack() as stack:

        def make(**settings: object) -> ApiClient:
            values = {"base_urls": (server.url,), "key": SecretStr("k-123"), **settings}
            client = ApiClient(
                ApiSettings.model_validate(values), clock=clock, dice=random.Random(1)
            )
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
def client(connect: Connect) -> ApiClient:
    return connect()
