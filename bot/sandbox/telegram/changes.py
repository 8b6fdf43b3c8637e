"""Tells whoever looks at the sandbox that something changed, so that nobody has to poll."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed in `chat` (0: outside of any chat); `what` is a short word for it."""

    chat: int
    what: str


class Changes:
    """Spreads changes to any number of watchers."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[Change]] = set()

    def tell(self, chat: int, what: str) -> None:
        """Something changed."""
        for watcher in self._watchers:
            watcher.put_nowait(Change(chat, what))

    async def watch(self) -> AsyncGenerator[Change]:
        """Every change from now on, until the caller closes the generator."""
        queue = self.queue()
        try:
            while True:
                yield await queue.get()
        finally:
            self.close(queue)

    def queue(self) -> asyncio.Queue[Change]:
        """Like `watch`, but nothing told after this call is missed. To be given to `close`."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._watchers.add(queue)
        return queue

    def close(self, queue: asyncio.Queue[Change]) -> None:
        """Stop filling a queue."""
        self._watchers.discard(queue)
