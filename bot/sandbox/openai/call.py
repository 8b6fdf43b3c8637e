"""One request being answered: how an answer leaves the server, and what may go wrong with it."""

from __future__ import annotations

import asyncio
import json
from typing import Final, NoReturn

from aiohttp import web

from bot.sandbox.openai.backend import Backend, JsonObject
from bot.sandbox.openai.faults import Cut, ErrorEvent, Fault, NoDone, Stall, Truncate
from bot.sandbox.openai.refusal import Refusal, error_body
from bot.sandbox.openai.state import ServerState
from bot.sandbox.openai.traffic import Exchange


class Broken(Exception):
    """The answer ended before its end, on purpose; nothing more can be sent."""


class Call:
    """A request with all that is needed to answer it."""

    def __init__(
        self, request: web.Request, exchange: Exchange, server: ServerState, fault: Fault | None
    ) -> None:
        self.request: Final = request
        self.exchange: Final = exchange
        self.server: Final = server
        self.fault: Final = fault
        self._stream: EventStream | None = None

    @property
    def backend(self) -> Backend:
        """The models."""
        return self.server.backend

    async def whole(
        self, body: JsonObject | str, content_type: str = "application/json"
    ) -> web.StreamResponse:
        """Answer with one body. `Stall`, `Cut` and `Truncate` strike in its middle."""
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        if isinstance(self.fault, ErrorEvent):
            content = json.dumps(_in_band(self.fault)).encode()
        if not isinstance(self.fault, Cut | Stall | Truncate):
            self.exchange.status = 200
            return web.Response(body=content, content_type=content_type, charset="utf-8")
        response = web.StreamResponse(headers={"Content-Type": content_type})
        half = content[: len(content) // 2]
        response.content_length = len(half) if isinstance(self.fault, Truncate) else len(content)
        await self.begin(response)
        await response.write(half)
        if isinstance(self.fault, Stall):
            await self.pause(self.fault)
            await response.write(content[len(half) :])
        elif isinstance(self.fault, Cut):
            self.break_connection()
        return response

    async def stream(self) -> EventStream:
        """Answer with server-sent events; the same stream however often it is asked for."""
        if self._stream is not None:
            return self._stream
        headers = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
        response = web.StreamResponse(headers=headers)
        await self.begin(response)
        self._stream = EventStream(self, response)
        return self._stream

    async def refuse(self, why: Refusal) -> web.StreamResponse:
        """Answer with an error; as an event when the answer has begun already."""
        if self._stream is not None:
            await self._stream.send(why.body)
            return self._stream.response
        self.exchange.status = why.status
        return web.json_response(why.body, status=why.status)

    async def begin(self, response: web.StreamResponse) -> None:
        """Send the headers."""
        self.exchange.status = response.status
        await response.prepare(self.request)
        self.server.traffic.changed()

    async def pause(self, stall: Stall) -> None:
        """Say nothing for as long as the fault lasts."""
        if stall.until is not None:
            await stall.until.wait()
        elif stall.seconds is not None:
            await asyncio.sleep(stall.seconds)
        else:
            await self.hang()

    async def hang(self) -> NoReturn:
        """Say nothing until the client goes away or the server closes. Raises `Broken`."""
        await self.server.closing.wait()
        self.break_connection()

    def nothing(self) -> web.StreamResponse:
        """What is left to return after the answer broke off."""
        return self._stream.response if self._stream is not None else web.Response()

    def break_connection(self) -> NoReturn:
        """Close the connection where the answer stands. Raises `Broken`."""
        if self.request.transport is not None:
            self.request.transport.close()
        raise Broken


class EventStream:
    """Server-sent events, one JSON object each, with the call's fault at its place."""

    def __init__(self, call: Call, response: web.StreamResponse) -> None:
        self.response: Final = response
        self._call = call

    async def send(self, data: JsonObject, *, event: str = "") -> None:
        """Send one event. Raises `Broken` when the answer ends here."""
        await self._strike()
        await self._write(json.dumps(data), event)

    async def done(self) -> web.StreamResponse:
        """The stream is complete: `[DONE]`, as the chat endpoint ends."""
        if not isinstance(self._call.fault, NoDone):
            await self._write("[DONE]", "")
        return self.response

    async def _strike(self) -> None:
        fault = self._call.fault
        if not isinstance(fault, Stall | Cut | Truncate | ErrorEvent):
            return
        if self._call.exchange.events != fault.after:
            return
        if isinstance(fault, Stall):
            await self._call.pause(fault)
            return
        if isinstance(fault, Cut):
            self._call.break_connection()
        if isinstance(fault, ErrorEvent):
            await self._write(json.dumps(_in_band(fault)), "")
        await self.response.write_eof()
        raise Broken

    async def _write(self, text: str, event: str) -> None:
        head = f"event: {event}\n" if event else ""
        await self.response.write(f"{head}data: {text}\n\n".encode())
        self._call.exchange.events += 1
        self._call.server.traffic.changed()


def _in_band(fault: ErrorEvent) -> JsonObject:
    return error_body(fault.message, type="server_error", code=fault.code)
