"""Reads one streamed answer: bytes, events of the wire, events of the core, and deadlines."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress

import aiohttp

from bot.api.cadence import Pause
from bot.api.failures.errors import CallFailed, not_the_api, request_id
from bot.api.http import LARGEST_BODY, json_object, more_of_body, next_chunk
from bot.api.protocols.sse import SseDecoder
from bot.api.protocols.wire import Reader, WireEvent
from bot.core.chat import ReasoningDelta, TextDelta
from bot.errors import ModelErrorKind

GRACE = 5.0
"""Seconds that a server has for the usage after the model ended its answer."""
FAREWELL = 0.05
"""Seconds to read what follows `[DONE]`, so that the connection can be used again."""
NO_STREAM = re.compile(rb"[\s\xef\xbb\xbf]*(?:[{\[<]|\Z)")
"""How a body in one piece begins, behind white space and a byte order mark."""


class AnswerStream:
    """One answer on the wire. `first` before anything else; then `more` until it ends.

    What has been read is kept nowhere here: with hundreds of answers, most wait most of the time.
    """

    def __init__(self, response: aiohttp.ClientResponse, reader: Reader) -> None:
        self._response = response
        self._reader = reader
        self._decoder: SseDecoder | None = None
        self._head = bytearray()  # of what may be no stream
        self._size = 0
        self._failure: CallFailed | None = None  # to be raised after what came before it
        self._ended = False
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

    async def first(self, alive: Callable[[], None]) -> list[WireEvent]:
        """The first events; `alive` is called for what comes before them.

        Raises `CallFailed` when the stream ends without any.
        """
        while not self._reader.done and (events := await self._next(alive)) is not None:
            if events:
                return events
        if not self._reader.complete:
            raise not_the_api(b"", self._response.headers)
        return []

    async def more(self, *, idle: float, until: float, pause: Pause) -> list[WireEvent] | None:
        """The next events; None when the server says that it is over.

        `idle` in seconds; `until` in the event loop's time; during the `pause` events are gathered
        before they are read. Raises `CallFailed`; not for what happens after the answer was
        complete.
        """
        if self._reader.done:
            return None
        loop = asyncio.get_running_loop()
        await pause(self._arrived)
        wait = GRACE if self._reader.complete else idle
        try:
            async with asyncio.timeout_at(min(loop.time() + wait, until)):
                return await self._next()
        except TimeoutError as error:
            if self._reader.complete:
                return None
            kind = ModelErrorKind.TIMEOUT if loop.time() >= until else ModelErrorKind.CUT
            raise CallFailed(kind, "the answer stood still", request_id=self.request_id) from error
        except CallFailed:
            if self._reader.complete:
                return None
            raise

    async def farewell(self) -> None:
        """Read what little may follow, so that the connection can be used again."""
        with suppress(TimeoutError, CallFailed):
            async with asyncio.timeout(FAREWELL):
                while await next_chunk(self._response):
                    pass

    async def _next(self, alive: Callable[[], None] = lambda: None) -> list[WireEvent] | None:
        """The events of the next piece of the body that has any; None when there is no more body.

        An empty list when the piece says only that the stream is done. `alive` is called for every
        piece without events. Raises `CallFailed`.
        """
        if self._failure is not None:
            raise self._failure
        while chunk := await self._more():
            events = self._read(chunk)
            if events or self._reader.done:
                return events
            alive()
        if self._ended:
            return None
        self._ended = True
        if self._decoder is None:
            return self._reader.read_whole(json_object(self._response.headers, bytes(self._head)))
        return [e for each in self._decoder.end() for e in self._read_last(each.name, each.data)]

    async def _more(self) -> bytes:
        if self._decoder is None:
            return await more_of_body(self._response, self._head)
        return await next_chunk(self._response)

    def _read(self, chunk: bytes) -> list[WireEvent]:
        self._size += len(chunk)
        if self._size > LARGEST_BODY:
            raise CallFailed(
                ModelErrorKind.BAD_ANSWER, f"the answer is larger than {LARGEST_BODY} bytes"
            )
        if self._decoder is None:
            self._head += chunk
            if NO_STREAM.match(self._head):
                return []
            self._decoder, chunk = SseDecoder(), bytes(self._head)
            self._head.clear()
        events: list[WireEvent] = []
        try:
            for event in self._decoder.feed(chunk):
                if not self._reader.done:
                    events += self._reader.read(event.name, event.data)
        except CallFailed as failure:
            if not events:
                raise
            self._failure = failure
        return _joined(events)

    def _read_last(self, name: str, data: str) -> list[WireEvent]:
        """An event that the end of the stream cut in two is as good as none."""
        try:
            return self._reader.read(name, data)
        except CallFailed as failure:
            if failure.kind is ModelErrorKind.BAD_ANSWER:
                return []
            raise


def _joined(events: list[WireEvent]) -> list[WireEvent]:
    """The same, with words that follow each other as one event: they are shown together anyway."""
    joined: list[WireEvent] = []
    for event in events:
        last = joined[-1] if joined else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            joined[-1] = TextDelta(last.text + event.text)
        elif isinstance(event, ReasoningDelta) and isinstance(last, ReasoningDelta):
            joined[-1] = ReasoningDelta(last.text + event.text)
        else:
            joined.append(event)
    return joined
