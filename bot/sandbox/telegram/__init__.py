"""A stand-in for Telegram: the Bot API over HTTP on one side, people with phones on the other.

    async with serve() as telegram:
        ...  # a bot with base_url=f"{telegram.base_url}/bot" and token=telegram.token
        chat = telegram.person(name="Ann").private()
        chat.send("hello")
        await chat.wait_for(lambda screen: screen.answers)

`telegram.limits.mode` switches the flood limits on, `telegram.faults` orders faults for the next
calls (an error above 500 is the HTML page of a proxy), `telegram.calls` is the log of all calls,
`telegram.changes` tells of every change.

What the real server refuses is refused in its own words: they come from the source of
telegram-bot-api (Client.cpp) and TDLib, and formatting is judged by TDLib's own parser.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.core.ports import Clock
    from bot.sandbox.telegram.telegram import Telegram

__all__ = ["serve"]


@asynccontextmanager
async def serve(
    *,
    username: str = "sandbox_bot",
    name: str = "Sandbox",
    clock: Clock | None = None,
    judge: bool = True,
) -> AsyncGenerator[Telegram]:
    """Serve a new, empty Telegram on loopback. Raises `ConfigError` without `tdjson`.

    `judge=False` believes every entity instead of asking Telegram's parser; limits are off until
    `telegram.limits.mode` is set. `clock` rules limits, drafts and long polls.
    """
    from bot.sandbox.telegram.server import serving
    from bot.sandbox.telegram.telegram import Telegram

    telegram = Telegram(username=username, name=name, clock=clock, judge=judge)
    async with serving(telegram):
        yield telegram
