from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.core.fakes.clock import ManualClock
from bot.platforms.slack.manifest import manifest
from bot.sandbox.slack.server import SlackSandbox
from tests.platforms.slack.running import Running, running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def sandbox() -> AsyncIterator[SlackSandbox]:
    async with SlackSandbox() as sandbox:
        sandbox.workspace.install(manifest([]))
        yield sandbox


@pytest.fixture
async def bot(sandbox: SlackSandbox) -> AsyncIterator[Running]:
    async with running(sandbox) as found:
        yield found
