"""The server of the demo's pages, for this machine alone."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from aiohttp import web

from bot.core.phrases import Phrase
from bot.errors import ConfigError
from bot.sandbox.listening import listening
from bot.sandbox.pages.page import Page, asset

MAX_UPLOAD = 50 * 1024 * 1024
"""What a chat platform lets a bot see may be smaller; a person may try."""
_SCRIPTS = ("elements.js", "seats.js", "line.js", "composer.js", "chatlog.js", "texts.js")
_SHARED = ("common.css", *_SCRIPTS)
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self'; "
    "frame-ancestors 'none'",  # a page around it could have its keys pressed
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@asynccontextmanager
async def serve_pages(*pages: Page[Any], port: int = 0) -> AsyncGenerator[str]:
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
