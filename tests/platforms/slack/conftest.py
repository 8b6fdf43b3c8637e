from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.core.fakes.clock import ManualClock
from bot.platforms.slack import directory, double_mentions, previews, sent_messages, streams
from bot.platforms.slack.manifest import manifest
from bot.sandbox.slack.server import SlackSandbox
from tests.patience import PATIENCE
from tests.platforms.slack.running import Running, running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def sandbox(clock: ManualClock) -> AsyncIterator[SlackSandbox]:
    """On a clock that stands still: nothing is told again because a machine is busy."""
    async with SlackSandbox(clock=clock) as sandbox:
        sandbox.workspace.install(manifest([]))
        yield sandbox


@pytest.fixture
async def bot(sandbox: SlackSandbox) -> AsyncIterator[Running]:
    async with running(sandbox) as found:
        yield found


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes is waited for, however busy the machine is."""
    for module in (directory, double_mentions, previews):
        monkeypatch.setattr(module, "PATIENCE", PATIENCE)


@pytest.fixture
def impatient(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for in vain is waited for a moment only."""
    for module, name, seconds in (
        (directory, "PATIENCE", 0.2),
        (directory, "ASK_AGAIN", (0.05,) * 20),
        (sent_messages, "SETTLING", 0.01),
        (streams, "LEAVING", 0.05),
        (double_mentions, "PATIENCE", 0.05),
        (previews, "PATIENCE", 0.05),
    ):
        monkeypatch.setattr(module, name, seconds)
