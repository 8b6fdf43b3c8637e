"""The HTTP server: routes, keys, and the way of a request through the house."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.core.clock import SystemClock
from bot.core.ports import Clock
from bot.sandbox.listening import listening
from bot.sandbox.openai import refusal
from bot.sandbox.openai.backend import Backend, Endpoint, Upload
from bot.sandbox.openai.call import Broken, Call, House
from bot.sandbox.openai.catalogue import list_models, one_model
from bot.sandbox.openai.completions import chat_completions, completions
from bot.sandbox.openai.embeddings import embeddings
from bot.sandbox.openai.faults import Drop, Faults, Hang, Raw, Refuse
from bot.sandbox.openai.images import edits, generations, variations
from bot.sandbox.openai.refusal import Refusal
from bot.sandbox.openai.responses import responses
from bot.sandbox.openai.traffic import Exchange, Traffic
from bot.sandbox.openai.transcriptions import transcriptions

Answering: TypeAlias = Callable[[Call], Awaitable[web.StreamResponse]]

_POST: dict[Endpoint, Answering] = {
    Endpoint.CHAT: chat_completions,
    Endpoint.COMPLETIONS: completions,
    Endpoint.RESPONSES: responses,
    Endpoint.EMBEDDINGS: embeddings,
    Endpoint.IMAGES: generations,
    Endpoint.EDITS: edits,
    Endpoint.VARIATIONS: variations,
    Endpoint.TRANSCRIPTIONS: transcriptions,
}
_MAX_BODY = 64 * 1024 * 1024  # above every documented limit, so that we refuse in their words
_GRACE = 0.05  # seconds for answers that are being written when the server closes


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How the server behaves. Port 0 takes a free one.

    `key`: the only key accepted; empty accepts every key, and none. More than `max_in_flight`
    requests at a time are refused with 429; 0 is no limit.
    """

    port: int = 0
    key: str = ""
    max_in_flight: int = 0
    traffic: Traffic = field(default_factory=Traffic)
    faults: Faults = field(default_factory=Faults)
    clock: Clock = field(default_factory=SystemClock)


@asynccontextmanager
async def serve(backend: Backend, options: ServerOptions | None = None) -> AsyncIterator[str]:
    """Serve the backend on the loopback; yields the base URL `http://127.0.0.1:PORT/v1`.

    On exit open answers are cut and every connection is closed.
    """
    options = options or ServerOptions()
    house = House(
        backend=backend,
        traffic=options.traffic,
        clock=options.clock,
        closing=asyncio.Event(),
    )
    app = _application(house, options)
    async with listening(app, port=options.port, grace=_GRACE, cancels=True) as house.origin:
        try:
            yield f"{house.origin}/v1"
        finally:
            house.closing.set()


def _application(house: House, options: ServerOptions) -> web.Application:
    app = web.Application(client_max_size=_MAX_BODY)
    app.on_response_prepare.append(_identify)
    for endpoint, answering in _POST.items():
        app.router.add_post(f"/v1{endpoint}", _handler(answering, house, options))
    app.router.add_get("/v1/models", _handler(list_models, house, options))
    app.router.add_get("/v1/models/{name:.+}", _handler(one_model, house, options))
    app.router.add_get("/files/{name}", _picture_handler(house))
    app.router.add_route("*", "/{rest:.*}", _handler(_unknown, house, options))
    return app


async def _identify(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer names its request, as the service's do."""
    response.headers.setdefault("x-request-id", f"req_{uuid4().hex}")


def _handler(answering: Answering, house: House, options: ServerOptions) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        exchange = Exchange(
            method=request.method,
            endpoint=request.path.removeprefix("/v1"),
            headers={k.lower(): v for k, v in request.headers.items() if k != "Authorization"},
            at=house.clock.monotonic(),
        )
        unreadable = await _read(request, exchange)
        house.traffic.begin(exchange)
        call = Call(request, exchange, house, options.faults.take(exchange.endpoint))
        abandoned = False
        try:
            return await _respond(call, answering, unreadable, request, options)
        except Broken:
            return call.nothing()
        except ConnectionError:
            abandoned = True
            return call.nothing()
        except asyncio.CancelledError:
            abandoned = not house.closing.is_set()
            raise
        finally:
            house.traffic.end(exchange, abandoned=abandoned)

    return handle


async def _respond(
    call: Call,
    answering: Answering,
    unreadable: Refusal | None,
    request: web.Request,
    options: ServerOptions,
) -> web.StreamResponse:
    try:
        if (struck := await _strike(call)) is not None:
            return struck
        if options.key and request.headers.get("Authorization") != f"Bearer {options.key}":
            raise refusal.bad_key()
        if 0 < options.max_in_flight < options.traffic.in_flight:
            raise refusal.too_many_in_flight(options.max_in_flight)
        if unreadable is not None:
            raise unreadable
        return await answering(call)
    except Refusal as why:
        return await call.refuse(why)


async def _strike(call: Call) -> web.StreamResponse | None:
    """The faults that come before an answer."""
    fault = call.fault
    if isinstance(fault, Hang):
        await call.hang()
    if isinstance(fault, Drop):
        call.break_connection()
    if isinstance(fault, Refuse):
        headers = dict(fault.headers)
        if fault.retry_after is not None:
            headers["Retry-After"] = f"{fault.retry_after}"
        call.exchange.status = fault.status
        return web.json_response(fault.answer(), status=fault.status, headers=headers)
    if isinstance(fault, Raw):
        call.exchange.status = fault.status
        headers = {"Content-Type": fault.content_type}
        return web.Response(body=fault.content, status=fault.status, headers=headers)
    return None


async def _read(request: web.Request, exchange: Exchange) -> Refusal | None:
    """Put the body into the exchange; returns what is wrong with it."""
    if request.method != "POST":
        return None
    if request.content_type == "multipart/form-data":
        try:
            fields = await request.post()
        except ValueError:
            return refusal.not_json()
        for name, value in fields.items():
            if isinstance(value, web.FileField):
                mime = value.content_type
                upload = Upload(name=value.filename, mime=mime, content=value.file.read())
                exchange.files.setdefault(name, []).append(upload)
                value.file.close()
            else:
                exchange.json[name] = value
        return None
    try:
        body = json.loads(await request.read())
    except ValueError:
        return refusal.not_json()
    if not isinstance(body, dict):
        return refusal.not_json()
    exchange.json = body
    return None


async def _unknown(call: Call) -> web.StreamResponse:
    exchange = call.exchange
    raise refusal.no_such_url(exchange.method, exchange.endpoint)


def _picture_handler(house: House) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        content = house.pictures.get(request.match_info["name"])
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="image/png")

    return handle
