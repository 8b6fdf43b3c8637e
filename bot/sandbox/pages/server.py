"""Pages on this machine: what is to be seen goes out, what somebody does comes in."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.resources import files
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote

from aiohttp import WSMsgType, web

from bot.core.errands import Errands
from bot.core.phrases import Phrase
from bot.errors import ConfigError
from bot.sandbox.listening import listening

Json: TypeAlias = dict[str, Any]
Tell: TypeAlias = Callable[[Json], Awaitable[None]]
"""Sends news to a page."""
Later: TypeAlias = Coroutine[Any, Any, None] | None
"""What goes on beside, after somebody has done something."""

MAX_UPLOAD = 50 * 1024 * 1024
"""What a chat platform lets a bot see may be smaller; a person may try."""
_SCRIPTS = ("elements.js", "seats.js", "line.js", "composer.js", "chatlog.js", "texts.js")
_SHARED = ("common.css", *_SCRIPTS)
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self'; "
    "frame-ancestors 'none'",  # a page around it could have its keys pressed
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Page(Protocol):
    """A page with all that belongs to it."""

    def routes(self) -> Iterable[web.RouteDef]:
        """What is answered, at addresses of its own."""


@asynccontextmanager
async def serve_pages(*pages: Page, port: int = 0) -> AsyncGenerator[str]:
    """Serve the pages and yield their address; port 0 takes a free one.

    Raises `ConfigError` when the port is taken.
    """
    app = web.Application(client_max_size=MAX_UPLOAD, middlewares=[_own_page_only])
    app.on_response_prepare.append(_add_headers)
    app.router.add_routes(asset(f"/{name}", "bot.sandbox.pages", name) for name in _SHARED)
    for page in pages:
        app.router.add_routes(page.routes())
    async with AsyncExitStack() as stack:
        try:
            address = await stack.enter_async_context(listening(app, port=port))
        except OSError as error:
            taken = Phrase("port {port} is taken; choose another with --port", port=port)
            raise ConfigError(taken) from error
        yield f"{address}/"


def asset(path: str, package: str, name: str) -> web.RouteDef:
    """A file of a package at this path."""

    async def answer(request: web.Request) -> web.Response:
        text = files(package).joinpath(name).read_text("utf-8")
        kind = _TYPES[name.rpartition(".")[2]]
        return web.Response(text=text, content_type=kind, charset="utf-8")

    return web.get(path, answer)


def sent_file(name: str, mime: str, content: bytes) -> web.Response:
    """A file of a chat. What is no picture or sound is downloaded, not shown."""
    is_shown = mime.partition("/")[0] in {"image", "audio", "video"} and "svg" not in mime
    if is_shown:
        return web.Response(body=content, content_type=mime)
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return web.Response(
        body=content,
        content_type="application/octet-stream",
        headers={"Content-Disposition": disposition},
    )


async def converse(
    request: web.Request,
    show: Callable[[Tell], Coroutine[Any, Any, None]],
    hear: Callable[[Json, Tell], Awaitable[Later]],
) -> web.WebSocketResponse:
    """A page's socket: `show` tells it what there is to be seen, until it closes.

    `hear` does what somebody does there, one thing after the other, and may leave something to be
    done beside.
    """
    socket = web.WebSocketResponse(heartbeat=30)
    await socket.prepare(request)
    errands = Errands()

    async def tell(news: Json) -> None:
        with suppress(ConnectionError):  # the page was closed
            await socket.send_json(news)

    errands.send(show(tell))
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                later = await hear(json.loads(message.data), tell)
                if later is not None:
                    errands.send(later)
    finally:
        await errands.close()
    return socket


@web.middleware
async def _own_page_only(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Other pages in the same browser must not speak for the person (cross-site WebSocket).

    Nor a page whose name its owner lets point to this machine: then it is of one origin with it.
    """
    origin = request.headers.get("Origin")
    is_own = origin is None or origin == f"http://{request.host}"
    if not is_own or not _is_this_machine(request.url.host or ""):
        raise web.HTTPForbidden(text="this page belongs to somebody else")
    return await handler(request)


def _is_this_machine(host: str) -> bool:
    """Whether a page was asked for by an address, which nobody else can let point elsewhere."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
