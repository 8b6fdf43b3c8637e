from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from aiohttp import ClientSession
from telegram import Bot
from telegram.request import HTTPXRequest

from bot.core.fakes.clock import ManualClock
from bot.sandbox.telegram import serve
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.patience import PATIENCE


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def telegram(clock: ManualClock) -> AsyncGenerator[Telegram]:
    async with serve(clock=clock) as telegram:
        yield telegram


@pytest.fixture
async def bot(telegram: Telegram) -> AsyncGenerator[Bot]:
    async with connected(telegram) as bot:
        yield bot


@pytest.fixture
def ann(telegram: Telegram) -> ChatView:
    return telegram.person(name="Ann").private()


async def raw(telegram: Telegram, method: str, **params: object) -> tuple[int, dict[str, Any]]:
    """A call without a library in between: the HTTP status and the body."""
    url = f"{telegram.base_url}/bot{telegram.token}/{method}"
    async with ClientSession() as session, session.post(url, json=params) as response:
        return response.status, await response.json()


def connected(telegram: Telegram, *, read_timeout: float = PATIENCE) -> Bot:
    """python-telegram-bot as anybody would set it up, talking to the sandbox."""
    return Bot(
        telegram.token,
        base_url=f"{telegram.base_url}/bot",
        base_file_url=f"{telegram.base_url}/file/bot",
        request=_patient(16, read_timeout),
        get_updates_request=_patient(1, read_timeout),
    )


def _patient(connections: int, read_timeout: float) -> HTTPXRequest:
    return HTTPXRequest(
        connections,
        read_timeout,
        write_timeout=PATIENCE,
        connect_timeout=PATIENCE,
        pool_timeout=PATIENCE,
        media_write_timeout=PATIENCE,
        httpx_kwargs={"verify": False},  # loading certificates takes longer than a test
    )
