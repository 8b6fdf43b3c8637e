"""What a tester wants to see: the requests that came, and how many are open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.sandbox.openai.backend import JsonObject, Upload

PATIENCE = 60.0
"""Seconds that a tester waits for something to happen."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request. `json` holds the fields of the body, `files` those of a multipart body.

    `headers` have lower-case names and no Authorization. `status` is 0 until the answer has begun.
    """

    method: str
    endpoint: str
    headers: Mapping[str, str]
    json: JsonObject = field(default_factory=dict)
    files: dict[str, list[Upload]] = field(default_factory=dict)
    status: int = 0
    events: int = 0


class Traffic:
    """Every request since the server began, oldest first, unless only counts are wanted."""

    def __init__(self, *, keep_requests: bool = True) -> None:
        self.requests: list[Exchange] = []
        self._keep_requests = keep_requests
        self.in_flight = 0
        self.most_in_flight = 0
        self.abandoned = 0
        self._changed = asyncio.Event()

    def to(self, endpoint: str) -> list[Exchange]:
        """The requests to one endpoint, such as `/chat/completions`."""
        return [exchange for exchange in self.requests if exchange.endpoint == endpoint]

    def begin(self, exchange: Exchange) -> None:
        """A request came in."""
        if self._keep_requests:
            self.requests.append(exchange)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.changed()

    def end(self, *, abandoned: bool) -> None:
        """A request is over: answered, or abandoned by its client."""
        self.in_flight -= 1
        self.abandoned += abandoned
        self.changed()

    def changed(self) -> None:
        """Wake those who wait for something to happen."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, reached: Callable[[Traffic], bool]) -> None:
        """Wait until something has happened; raises `TimeoutError` when it does not."""
        async with asyncio.timeout(PATIENCE):
            while not reached(self):
                await self._changed.wait()
