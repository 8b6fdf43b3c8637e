"""What tests of the whole bot stand between; a folder that needs other servers brings its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.openai import ScriptedApi, serve_scripted
from bot.sandbox.telegram.telegram import Telegram


@pytest.fixture
async def telegram() -> AsyncGenerator[Telegram]:
    async with telegram_sandbox.serve() as telegram:
        yield telegram


@pytest.fixture
async def api() -> AsyncGenerator[ScriptedApi]:
    async with serve_scripted(key="sk-sandbox") as api:
        yield api
