"""What to do while Telegram does not answer the calls by which updates are had.

A token that is refused ends the bot with what to do about it. Everything else passes: it is logged,
and tried again after a pause that grows; after long silence with new connections.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from telegram import error

from bot.core.phrases import Phrase
from bot.core.ports import Clock
from bot.errors import ConfigError
from bot.platforms.telegram.errors import seconds_of
from bot.platforms.telegram.request import AiohttpRequest

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
SILENCE = 120.0
"""Seconds without an answer after which the connections are made anew."""

BAD_TOKEN = Phrase(
    "telegram.token is refused by Telegram: ask @BotFather for the current token "
    "(or telegram.base_url is not the address of a Bot API server)"
)


class Backoff:
    """The pauses between the tries that go through `request`."""

    def __init__(self, request: AiohttpRequest, clock: Clock) -> None:
        self._request = request
        self._clock = clock
        self._pause = FIRST_PAUSE
        self._answered = clock.monotonic()

    async def insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Call until Telegram answers. Raises `ConfigError` when the token is refused."""
        self.succeed()  # it has not been silent: nobody has asked
        while True:
            try:
                answer = await call()
            except error.TelegramError as failure:
                await self.recover(failure)
            else:
                self.succeed()
                return answer

    def succeed(self) -> None:
        """Telegram has answered."""
        self._pause = FIRST_PAUSE
        self._answered = self._clock.monotonic()

    async def recover(self, failure: error.TelegramError, *, known: bool = False) -> None:
        """Say what is wrong, unless it is `known`, and wait. Raises `ConfigError`."""
        if isinstance(failure, error.InvalidToken):
            raise ConfigError(BAD_TOKEN) from failure
        if isinstance(failure, error.BadRequest | error.RetryAfter):
            self._answered = self._clock.monotonic()  # others may be using the connections
        if isinstance(failure, error.RetryAfter):
            self._pause = max(self._pause, seconds_of(failure))
        if not known:
            extra = {"reason": failure.message, "next_try": self._pause}
            log.warning("no updates", extra=extra)
        if self._clock.monotonic() - self._answered > SILENCE:
            log.error("no answer for long, connecting anew", extra={"seconds": SILENCE})
            await self._request.shutdown()
            self._answered = self._clock.monotonic()
        await self._clock.sleep(self._pause)
        self._pause = min(LONGEST_PAUSE, self._pause * 2)
