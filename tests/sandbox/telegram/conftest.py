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
    plain = {"verify": False}  # loading certificates takes longer than a test
    patient = {f"{what}_timeout": PATIENCE for what in ("connect", "write", "media_write", "pool")}
    return Bot(
        telegram.token,
        base_url=f"{telegram.base_url}/bot",
        base_file_url=f"{telegram.base_url}/file/bot",
        request=HTTPXRequest(16, read_timeout, httpx_kwargs=plain, **patient),
        get_updates_request=HTTPXRequest(1, read_timeout, httpx_kwargs=plain, **patient),
    )
