"""The HTTP server: routes, keys, and the way of a request to its answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias
from uuid import uuid4

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.sandbox.listening import listening
from bot.sandbox.openai import refusal
from bot.sandbox.openai.backend import Endpoint, Upload
from bot.sandbox.openai.call import Broken, Call
from bot.sandbox.openai.catalogue import list_models, one_model
from bot.sandbox.openai.completions import chat_completions, completions
from bot.sandbox.openai.embeddings import embeddings
from bot.sandbox.openai.faults import Drop, Hang, Raw, Refuse
from bot.sandbox.openai.images import edits, generations, variations
from bot.sandbox.openai.refusal import Refusal
from bot.sandbox.openai.responses import responses
from bot.sandbox.openai.state import ServerState
from bot.sandbox.openai.traffic import Exchange
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


@asynccontextmanager
async def serve(server: ServerState, *, port: int = 0) -> AsyncIterator[str]:
    """Serve on the loopback; yields the base URL `http://127.0.0.1:PORT/v1`. Port 0 is a free one.

    On exit open answers are cut and every connection is closed.
    """
    app = _application(server)
    async with listening(app, port=port, grace=_GRACE, cancels=True) as server.origin:
        try:
            yield f"{server.origin}/v1"
        finally:
            server.closing.set()


def _application(server: ServerState) -> web.Application:
    app = web.Application(client_max_size=_MAX_BODY)
    app.on_response_prepare.append(_identify)
    for endpoint, answering in _POST.items():
        app.router.add_post(f"/v1{endpoint}", _handler(answering, server))
    app.router.add_get("/v1/models", _handler(list_models, server))
    app.router.add_get("/v1/models/{name:.+}", _handler(one_model, server))
    app.router.add_get("/files/{name}", _picture_handler(server))
    app.router.add_route("*", "/{rest:.*}", _handler(_unknown, server))
    return app


async def _identify(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer names its request, as the service's do."""
    response.headers.setdefault("x-request-id", f"req_{uuid4().hex}")


def _handler(answering: Answering, server: ServerState) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        exchange = Exchange(
            method=request.method,
            endpoint=request.path.removeprefix("/v1"),
            headers={k.lower(): v for k, v in request.headers.items() if k != "Authorization"},
        )
        unreadable = await _read(request, exchange)
        server.traffic.begin(exchange)
        call = Call(request, exchange, server, server.faults.take(exchange.endpoint))
        abandoned = False
        try:
            return await _respond(call, answering, unreadable)
        except Broken:
            return call.nothing()
        except ConnectionError:
            abandoned = True
            return call.nothing()
        except asyncio.CancelledError:
            abandoned = not server.closing.is_set()
            raise
        finally:
            server.traffic.end(abandoned=abandoned)

    return handle


async def _respond(
    call: Call, answering: Answering, unreadable: Refusal | None
) -> web.StreamResponse:
    server, given = call.server, call.request.headers.get("Authorization")
    try:
        if (struck := await _strike(call)) is not None:
            return struck
        if server.key and given != f"Bearer {server.key}":
            raise refusal.bad_key()
        if 0 < server.max_in_flight < server.traffic.in_flight:
            raise refusal.too_many_in_flight(server.max_in_flight)
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


def _picture_handler(server: ServerState) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        content = server.pictures.get(request.match_info["name"])
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content, content_type="image/png")

    return handle
