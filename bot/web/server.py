"""One small web server for everything that comes to the bot over HTTP.

`/healthz` says that the process lives, `/readyz` that every platform is connected. What a platform
wants to be sent is a path of its own, which the platform guards with its own secret.

Anybody who reaches the server may connect. However many do, and whatever they send or do not send,
they take little memory and few of the files that the process may open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Set
from contextlib import asynccontextmanager, nullcontext
from typing import TypeAlias

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from bot.core.phrases import Phrase, reason
from bot.core.ports import HandlePost, Post
from bot.errors import ConfigError
from bot.web.settings import WebSettings

log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

LARGEST = 2_000_000
"""Bytes of a request; Slack's are far smaller."""
SMALL = 65_536
LARGE_AT_ONCE = 16
"""Requests of more than `SMALL` bytes that are read at a time: the others wait unread."""
CONNECTIONS = 100
"""Telegram opens 40. For one beyond these the oldest is closed whose request is not all there:
proxies keep many for later, and so would who wants to shut others out. Without such, it is closed
itself."""
IDLE = 75.0
"""Seconds for which nothing is asked on a connection; proxies keep theirs for a minute."""
LEAVING = 3.0
BAD = 400
TOO_SLOW = 408


class WebServer:
    """The server. Paths are added before it runs; `is_ready` answers `/readyz`.

    Who does not say all of a request within `patience` seconds is sent away.
    """

    def __init__(self, settings: WebSettings, *, patience: float = 10.0) -> None:
        self._settings = settings
        self._patience = patience
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)
        self._busy: set[asyncio.BaseProtocol] = set()
        self._pages: dict[str, Handler] = {"/healthz": _healthy}
        self._paths: dict[str, HandlePost] = {}
        self.port = settings.port

    def on_post(self, path: str, handle: HandlePost) -> None:
        """Let `handle` answer what is posted to `path`."""
        self._paths[path] = handle

    def on_get(self, path: str, handle: Handler) -> None:
        """Let `handle` answer who asks for `path`; before the server runs."""
        self._pages[path] = handle

    @asynccontextmanager
    async def running(self, is_ready: Callable[[], bool]) -> AsyncGenerator[None]:
        """Listen while the block runs. Raises `ConfigError` when the address cannot be had."""
        app = web.Application(client_max_size=LARGEST)
        for path, page in {**self._pages, "/readyz": _readiness(is_ready)}.items():
            app.router.add_get(path, page)
        for path, handle in self._paths.items():
            app.router.add_post(path, self._adapted(handle))
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=_sdk_log(),
            shutdown_timeout=LEAVING,
            keepalive_timeout=IDLE,
        )
        await runner.setup()
        door: asyncio.Server | None = None
        try:
            host, port = self._settings.host, self._settings.port
            try:
                loop = asyncio.get_running_loop()
                door = await loop.create_server(
                    lambda: _Door(runner.server, self._busy), host, port
                )
            except OSError as error:
                wrong = Phrase(
                    "web.host, web.port: cannot listen on {address}: {reason}",
                    address=f"{host}:{port}",
                    reason=reason(error),
                )
                raise ConfigError(wrong) from error
            self.port = door.sockets[0].getsockname()[1]
            log.info("listening", extra={"host": host, "port": self.port})
            yield
        finally:
            if door is not None:
                door.close()
            await runner.cleanup()

    def _adapted(self, handle: HandlePost) -> Handler:
        async def answer(request: web.Request) -> web.Response:
            try:
                body = await self._body(request)
            except (TimeoutError, ConnectionError):  # nobody reads it if they are gone
                return web.Response(status=TOO_SLOW)
            except web.RequestPayloadError:
                return web.Response(status=BAD)
            headers = {name.lower(): value for name, value in request.headers.items()}
            connection = request.protocol
            self._busy.add(connection)
            try:
                response = await handle(Post(headers=headers, body=body))
            finally:
                self._busy.discard(connection)
            again = response.retry_after
            return web.Response(
                status=response.status,
                text=response.text,
                headers=None if again is None else {"Retry-After": str(again)},
            )

        return answer

    async def _body(self, request: web.Request) -> bytes:
        """What is posted. Raises `TimeoutError`, `ConnectionError`, `RequestPayloadError`."""
        size = request.content_length
        is_small = (
            size is not None and size <= SMALL and not request.headers.get("Content-Encoding")
        )
        async with nullcontext() if is_small else self._large, asyncio.timeout(self._patience):
            return await request.read()


class _Door(asyncio.Protocol):
    """Hands a connection over to the server, and sees to it that there are not too many."""

    def __init__(self, server: web.Server | None, busy: Set[asyncio.BaseProtocol]) -> None:
        self._server = server
        self._busy = busy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let them in, or not."""
        assert isinstance(transport, asyncio.Transport) and self._server is not None
        open_ones = [each for each in self._server.connections if each.transport is not None]
        if len(open_ones) >= CONNECTIONS:
            idle = next((each for each in open_ones if each not in self._busy), None)
            if idle is None:
                transport.abort()
                return
            idle.force_close()
        handler = self._server()
        transport.set_protocol(handler)
        handler.connection_made(transport)


def _sdk_log() -> logging.Logger:
    """Where aiohttp says what went wrong here."""
    found = logging.getLogger("bot.web.sdk")
    found.addFilter(_is_about_us)
    return found


def _is_about_us(record: logging.LogRecord) -> bool:
    """Not about what somebody sent: each such request would write a traceback."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionError)


async def _healthy(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _readiness(is_ready: Callable[[], bool]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        if is_ready():
            return web.Response(text="ready\n")
        return web.Response(status=503, text="not connected yet\n")

    return answer
