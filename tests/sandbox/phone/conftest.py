"""A sandbox Telegram, and the bot in it, whose people the page shows."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from telegram import Bot

from bot.sandbox.telegram import serve as serve_telegram
from bot.sandbox.telegram.telegram import Telegram
from tests.sandbox.telegram.conftest import connected


@pytest.fixture
async def telegram() -> AsyncGenerator[Telegram]:
    async with serve_telegram(judge=False) as telegram:
        yield telegram


@pytest.fixture
async def bot(telegram: Telegram) -> AsyncGenerator[Bot]:
    async with connected(telegram) as bot:
        yield bot
