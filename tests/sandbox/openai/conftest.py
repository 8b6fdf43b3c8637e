"""The scripted API, and two clients: the reference SDK and plain HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from openai import AsyncOpenAI

from bot.sandbox.openai import ScriptedApi, serve_scripted
from tests.patience import PATIENCE


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with serve_scripted(key="sk-test") as running:
        yield running


@pytest.fixture
async def sdk(api: ScriptedApi) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(
        base_url=api.url, api_key="sk-test", max_retries=0, timeout=PATIENCE
    ) as client:
        yield client


@pytest.fixture
async def http(api: ScriptedApi) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": "Bearer sk-test"}
    async with httpx.AsyncClient(base_url=api.url, headers=headers, timeout=PATIENCE) as client:
        yield client
