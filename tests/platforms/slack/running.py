"""The adapter while it runs: connected to the sandbox, with an inbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.core.clock import SystemClock
from bot.core.ports import Clock
from bot.core.queue import TurnQueue
from bot.core.stores import Users
from bot.platforms.slack.adapter import SlackPlatform
from bot.sandbox.slack.server import SlackSandbox
from tests.intake import Inbox, listening
from tests.platforms.slack.stage import platform_for


@dataclass(frozen=True, slots=True)
class Running:
    """A connected platform, its sandbox and its inbox."""

    sandbox: SlackSandbox
    platform: SlackPlatform
    inbox: Inbox

    async def settled(self) -> None:
        """Return when everything that was delivered has been acknowledged."""
        await self.sandbox.wait_for(lambda: not self.sandbox.sockets.unacked)


@asynccontextmanager
async def running(
    sandbox: SlackSandbox,
    users: Users | None = None,
    turns: TurnQueue | None = None,
    clock: Clock = SystemClock(),  # noqa: B008 - no state
) -> AsyncIterator[Running]:
    """Connect, and disconnect at the end."""
    platform = platform_for(sandbox, clock, users, turns)
    inbox = Inbox()
    try:
        async with listening(platform, inbox):
            yield Running(sandbox, platform, inbox)
    finally:
        await platform.close()
