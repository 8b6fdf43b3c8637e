"""A bot's pacer before the limits of Telegram, without the rest of either."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from bot.core.fakes.clock import ManualClock
from bot.errors import RateLimited
from bot.platforms.telegram.pace import Budget, Pacer, Urgency
from bot.sandbox.limits import Mode
from bot.sandbox.telegram.errors import TooManyRequests
from bot.sandbox.telegram.limits import Budget as Limited
from bot.sandbox.telegram.limits import Limits


class Server:
    """Telegram's limits, and the calls that came. Calls take `delay` seconds each way, at most."""

    def __init__(self, clock: ManualClock, *, delay: float = 0.0) -> None:
        self.clock = clock
        self.limits = Limits(clock, Mode.ON)
        self.calls: list[tuple[float, int, str]] = []
        self.refused = 0
        self.pacer = Pacer(clock)
        self._delay = delay
        self._dice = random.Random(1)

    def via(
        self, chat: int, text: str, budget: Limited = Limited.MESSAGE
    ) -> Callable[[], Awaitable[str]]:
        async def make() -> str:
            await self.clock.sleep(self._dice.random() * self._delay)
            try:
                self.limits.spend(chat, budget)
            except TooManyRequests as refusal:
                self.refused += 1
                raise RateLimited(float(refusal.parameters["retry_after"])) from refusal
            self.calls.append((self.clock.monotonic(), chat, text))
            await self.clock.sleep(self._dice.random() * self._delay)
            return text

        return make

    async def call(self, chat: int, urgency: Urgency, text: str = "") -> str:
        """One call through the pacer."""
        return await self.pacer.call(chat, urgency, self.via(chat, text))

    async def preview(self, chat: int, urgency: Urgency) -> str:
        """A draft or, where it is only typing, a chat action through the pacer."""
        make = self.via(chat, "", Limited.PREVIEW)
        budget = Budget.MESSAGE if urgency is Urgency.TYPING else Budget.DRAFT
        return await self.pacer.call(chat, urgency, make, budget=budget)

    async def until_through(self, chat: int, urgency: Urgency, text: str = "") -> None:
        """What a delivery does: come back when told to."""
        while True:
            try:
                await self.call(chat, urgency, text)
            except RateLimited as limit:
                await self.clock.sleep(limit.retry_after)
            else:
                return

    async def answer(self, chat: int, previews: int) -> None:
        """A whole answer: its first text, previews, the end."""
        await self.until_through(chat, Urgency.FIRST, "first")
        for _ in range(previews):
            await self.clock.sleep(1)
            try:
                await self.call(chat, Urgency.PREVIEW, "preview")
            except RateLimited as limit:
                await self.clock.sleep(limit.retry_after)
        await self.call(chat, Urgency.FINAL, "final")
