"""A model that says the same to everybody, with as little work as possible.

The scripted API of the sandbox is true to the wire in much detail; here five thousand events a
second must not keep those from being measured who read them.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bot.sandbox.listening import listening
from tests.bench.answers import PACE, Answer

NAME = "bench-model"


@dataclass(slots=True)
class Heard:
    """When a question came to the model, when it said the first word, and when the last."""

    asked: int = 0
    first: float = 0.0
    last: float = 0.0


class Model:
    """Answers every question with `answer`; `heard` tells when, by the question."""

    def __init__(self, answer: Answer) -> None:
        self.heard: dict[str, Heard] = {}
        self.url = ""
        self._answer = answer
        self._events = [_event({"content": piece}) for piece in answer.pieces]
        self._end = _event({}, "stop") + _usage(len(self._events)) + b"data: [DONE]\n\n"

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """`/chat/completions`, streamed."""
        body = await request.json()
        heard = self.heard.setdefault(_question(body), Heard())
        heard.asked += 1
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        loop = asyncio.get_running_loop()
        due, half = loop.time(), len(self._events) // 2
        for number, event in enumerate(self._events):
            if number == half and self._answer.stall:
                due += self._answer.stall
            if number == half and self._answer.cut and heard.asked == 1:
                assert request.transport is not None
                request.transport.abort()
                return response
            await asyncio.sleep(due - loop.time())
            await response.write(event)
            heard.last = time.perf_counter()
            heard.first = heard.first or heard.last
            due += PACE
        await response.write(self._end)
        return response

    async def models(self, request: web.Request) -> web.Response:
        """`/models`."""
        return web.json_response({"object": "list", "data": [{"id": NAME, "object": "model"}]})


@asynccontextmanager
async def serving(answer: Answer) -> AsyncGenerator[Model]:
    """Serve the model on loopback; `url` is set."""
    model, app = Model(answer), web.Application()
    app.router.add_post("/v1/chat/completions", model.complete)
    app.router.add_get("/v1/models", model.models)
    async with listening(app) as address:
        model.url = f"{address}/v1"
        yield model


def _question(body: dict[str, object]) -> str:
    messages = body["messages"]
    assert isinstance(messages, list)
    return str(messages[-1]["content"])


def _event(delta: dict[str, str], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return _data({**_HEAD, "choices": [choice]})


def _usage(tokens: int) -> bytes:
    usage = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": tokens + 10}
    return _data({**_HEAD, "choices": [], "usage": usage})


def _data(body: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


_HEAD: dict[str, object] = {
    "id": "chatcmpl-bench",
    "object": "chat.completion.chunk",
    "created": 1_760_000_000,
    "model": NAME,
}
