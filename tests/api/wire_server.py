"""A server on a loopback socket that answers byte for byte what a test wrote down."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Hang:
    """Say nothing until the client goes away."""


@dataclass
class Wait:
    """Go on when the test says so."""

    event: asyncio.Event


class Reset:
    """Break the connection off without a farewell."""


Step: TypeAlias = bytes | Hang | Wait | Reset
Script: TypeAlias = Sequence[Step]


@dataclass
class WireServer:
    """Answers the next request with the next script, and the last script for ever if asked to.

    What is asked `at` a path of its own has a script of its own.
    """

    requests: list[Received] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    always: Script | None = None
    at: dict[str, Script] = field(default_factory=dict)
    port: int = 0
    open_now: int = 0
    most_open: int = 0
    connections: int = 0
    arrivals: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)
    _scripts: deque[Script] = field(default_factory=deque)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def answer(self, *steps: Step) -> None:
        self._scripts.append(steps)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._serve_one(reader, writer):
                pass

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        pairs = (line.split(": ", 1) for line in head[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        received = Received(method, path, headers, body)
        self.requests.append(received)
        self.arrivals.put_nowait(received)
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            return await self._play(self._next(path), reader, writer)
        finally:
            self.open_now -= 1

    def _next(self, path: str) -> Script:
        if path in self.at:
            return self.at[path]
        if self._scripts:
            return self._scripts.popleft()
        return self.always if self.always is not None else json_answer({"error": "no script"}, 418)

    async def _play(
        self, script: Script, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        for step in script:
            match step:
                case bytes():
                    writer.write(step)
                    await writer.drain()
                case Wait():
                    await step.event.wait()
                case Hang():
                    await reader.read(1)
                    self.gone.set()
                    return False
                case Reset():
                    writer.transport.abort()
                    return False
        return not any(isinstance(s, bytes) and b"connection: close" in s for s in script)


@asynccontextmanager
async def wire_server() -> AsyncIterator[WireServer]:
    served = WireServer()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(served.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(lambda _: writer.transport.abort())  # also where it never began

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    served.port = listening.sockets[0].getsockname()[1]
    try:
        yield served
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def head(status: int = 200, content_type: str = "text/event-stream", **headers: str) -> bytes:
    """The head of an answer whose body is chunked."""
    lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", "transfer-encoding: chunked"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    """One piece of a chunked body; an empty one ends it."""
    return b"%x\r\n%s\r\n" % (len(data), data)


END = chunk(b"")


def whole(
    body: bytes, status: int = 200, content_type: str = "application/json", **headers: str
) -> list[Step]:
    """An answer in one piece."""
    return [head(status, content_type, **headers), *([chunk(body)] if body else []), END]


def json_answer(body: object, status: int = 200, **headers: str) -> list[Step]:
    return whole(json.dumps(body).encode(), status, **headers)


def refusal(
    status: int, message: str = "no", *, code: str = "", param: str = "", **headers: str
) -> list[Step]:
    error = {"message": message, "type": "", "param": param, "code": code}
    return json_answer({"error": error}, status, **headers)


def stream(*pieces: bytes, **headers: str) -> list[Step]:
    """An event stream that ends in good order."""
    return [head(200, "text/event-stream", **headers), *(chunk(piece) for piece in pieces), END]


def data(event: object) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def text(words: str, **choice: object) -> bytes:
    """A chunk of a chat completion with some text."""
    return data({"choices": [{"index": 0, "delta": {"content": words}, **choice}]})


def delta(**fields: object) -> bytes:
    return data({"choices": [{"index": 0, "delta": fields}]})


def finish(reason: str = "stop") -> bytes:
    return data({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})


def usage(prompt: int, completion: int) -> bytes:
    counts = {"prompt_tokens": prompt, "completion_tokens": completion}
    return data({"choices": [], "usage": counts})


DONE = b"data: [DONE]\n\n"
HELLO = stream(text("Hel"), text("lo"), finish(), usage(3, 2), DONE)
