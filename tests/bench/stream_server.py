"""A server for `bench_api`, in a process of its own: streams, and nothing that costs time.

    python -m tests.bench.stream_server

Prints its port. The model's name says what comes: `200x25` is 200 chunks, one every 25 ms.
"""

from __future__ import annotations

import asyncio
import json
import re

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_MODEL = re.compile(rb'"model":\s*"(\d+)x(\d+)"')
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"transfer-encoding: chunked\r\nx-request-id: req_1\r\n\r\n"
)


def _event(body: object) -> bytes:
    data = b"data: %s\n\n" % (body if isinstance(body, bytes) else json.dumps(body).encode())
    return b"%x\r\n%s\r\n" % (len(data), data)


def _chunk(choices: list[object], **more: object) -> bytes:
    frame = {"id": "chatcmpl-BkQ0xXk9fXw2yJp1", "object": "chat.completion.chunk"}
    return _event({**frame, "created": 1764000000, "model": "m", "choices": choices, **more})


WORD = _chunk([{"index": 0, "delta": {"content": " word"}, "finish_reason": None}])
END = (
    _chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    + _chunk([], usage={"prompt_tokens": 9, "completion_tokens": 200, "total_tokens": 209})
    + _event(b"[DONE]")
    + b"0\r\n\r\n"
)


class Stream(asyncio.Protocol):
    """One connection: a request at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""
        self._left = 0
        self._pace = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not blank or len(body) < int(length[1] if length else 0):
            return
        self._received = b""
        asked = _MODEL.search(body)
        assert asked, body
        self._left, self._pace = int(asked[1]), int(asked[2]) / 1000
        self._transport.write(_HEAD)
        self._say(asyncio.get_running_loop().time())

    def _say(self, due: float) -> None:
        self._transport.write(WORD)
        self._left -= 1
        if not self._left:
            self._transport.write(END)
            self._timer = None
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(due + self._pace, self._say, due + self._pace)


async def serve() -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Stream, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
