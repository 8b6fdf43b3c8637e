"""Tells whoever looks at the sandbox that something changed, so that nobody has to poll."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.core.clock import within
from bot.core.ports import Clock


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed in `chat` (0: outside of any chat); `what` is a short word for it."""

    chat: int
    what: str


class Changes:
    """Spreads changes to any number of watchers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watchers: set[asyncio.Queue[Change]] = set()

    def tell(self, chat: int, what: str) -> None:
        """Something changed."""
        for watcher in self._watchers:
            watcher.put_nowait(Change(chat, what))

    @contextmanager
    def watch(self) -> Generator[asyncio.Queue[Change]]:
        """A queue of every change from now on."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)

    async def __aiter__(self) -> AsyncGenerator[Change]:
        """Every change from now on, for `async for`."""
        with self.watch() as queue:
            while True:
                yield await queue.get()

    async def until(
        self,
        true: Callable[[], object],
        patience: float = 60.0,
        expiry: Callable[[], float | None] = lambda: None,
    ) -> None:
        """Wait until the condition holds. Raises `TimeoutError` after so many seconds of patience.

        `expiry` tells in how many seconds something changes by itself, by the sandbox's clock.
        """
        with self.watch() as queue:
            async with asyncio.timeout(patience):
                while not true():
                    seconds = expiry()
                    if seconds is None:
                        await queue.get()
                    else:
                        await within(self._clock, seconds, queue.get())
