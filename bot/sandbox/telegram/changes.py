"""Tells whoever looks at the sandbox that something changed, so that nobody has to poll."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

Alarm: TypeAlias = Callable[[], Coroutine[Any, Any, None] | None]
"""Something to wait for besides a change: the moment at which something vanishes by itself."""


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
        self, true: Callable[[], object], within: float = 60.0, alarm: Alarm = lambda: None
    ) -> None:
        """Wait until the condition holds. Raises `TimeoutError` after `within` seconds."""
        with self.watch() as queue:
            async with asyncio.timeout(within):
                while not true():
                    await _first(queue.get(), alarm())


async def _first(
    change: Coroutine[Any, Any, Change], alarm: Coroutine[Any, Any, None] | None
) -> None:
    """Wait for whichever comes first."""
    waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(change)]
    if alarm is not None:
        waits.append(asyncio.ensure_future(alarm))
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
