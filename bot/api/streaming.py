"""Reads one streamed answer: bytes, events of the wire, events of the core, and deadlines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import aiohttp

from bot.api.cadence import Pause
from bot.api.errors import CallFailed, not_the_api, request_id
from bot.api.http import LARGEST_BODY, chunks_of, json_object
from bot.api.sse import BOM, SseDecoder
from bot.api.wire import Reader, WireEvent
from bot.errors import ModelErrorKind

GRACE = 5.0
"""Seconds that a server has for the usage after the model ended its answer."""
FAREWELL = 0.05
"""Seconds to read what follows `[DONE]`, so that the connection can be used again."""


class AnswerStream:
    """One answer on the wire. `first` before anything else; `rest` until it ends."""

    def __init__(self, response: aiohttp.ClientResponse, reader: Reader) -> None:
        self._response = response
        self._reader = reader
        self._batches = _batches(response, reader)
        self._arrived = asyncio.Event()
        response.content.on_eof(self._arrived.set)

    @property
    def request_id(self) -> str:
        """The id of the request in the API's log."""
        return request_id(self._response.headers)

    @property
    def complete(self) -> bool:
        """The model has ended its answer."""
        return self._reader.complete

    async def first(self) -> list[WireEvent]:
        """The first events. Raises `CallFailed` when the stream ends without any."""
        async for events in self._batches:
            if events:
                return events
            if self._reader.done:
                break
        if not self._reader.complete:
            raise not_the_api(b"", self._response.headers)
        return []

    async def rest(
        self, *, idle: float, until: float, pause: Pause
    ) -> AsyncGenerator[list[WireEvent], None]:
        """The events after the first, until the server says that it is over.

        `idle` in seconds; `until` in the event loop's time; during the `pause` events are gathered
        before they are read. Raises `CallFailed`; not for what happens after the answer was
        complete.
        """
        loop = asyncio.get_running_loop()
        try:
            while not self._reader.done:
                await pause(self._arrived)
                wait = GRACE if self._reader.complete else idle
                async with asyncio.timeout_at(min(loop.time() + wait, until)):
                    events = await anext(self._batches, None)
                if events is None:
                    break
                yield events
        except TimeoutError as error:
            if self._reader.complete:
                return
            kind = ModelErrorKind.TIMEOUT if loop.time() >= until else ModelErrorKind.CUT
            raise CallFailed(kind, "the answer stood still", request_id=self.request_id) from error
        except CallFailed:
            if not self._reader.complete:
                raise

    async def farewell(self) -> None:
        """Read what little may follow, so that the connection can be used again."""
        with suppress(TimeoutError, CallFailed):
            async with asyncio.timeout(FAREWELL):
                await anext(self._batches, None)

    async def close(self) -> None:
        """Stop reading."""
        await self._batches.aclose()


async def _batches(
    response: aiohttp.ClientResponse, reader: Reader
) -> AsyncGenerator[list[WireEvent], None]:
    """The events of each piece of the body that has any, then the rest of the body in silence."""
    decoder: SseDecoder | None = None
    head = b""
    async for chunk in chunks_of(response):
        if decoder is None:
            head += chunk
            start = head.removeprefix(BOM).lstrip()
            if not start or start[:1] in b"{[<":
                if len(head) > LARGEST_BODY:
                    raise not_the_api(head, response.headers)
                continue  # not a stream: one body, or the white space before it
            decoder, chunk, head = SseDecoder(), head, b""
        if reader.done:
            continue
        events: list[WireEvent] = []
        try:
            for event in decoder.feed(chunk):
                if not reader.done:
                    events += reader.read(event.name, event.data)
        except CallFailed:
            if events:  # what was said before the failure is not lost
                yield events
            raise
        if events or reader.done:
            yield events
    if reader.done:
        return
    if decoder is None:
        yield reader.read_whole(json_object(response.headers, head))
    else:
        yield [e for each in decoder.end() for e in _read_last(reader, each.name, each.data)]


def _read_last(reader: Reader, name: str, data: str) -> list[WireEvent]:
    """An event that the end of the stream cut in two is as good as none."""
    try:
        return reader.read(name, data)
    except CallFailed as failure:
        if failure.kind is ModelErrorKind.BAD_ANSWER:
            return []
        raise
