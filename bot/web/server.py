"""One small web server for everything that comes to the bot over HTTP.

`/healthz` says that the process lives, `/readyz` that every platform is connected. What a platform
wants to be sent is a path of its own, which the platform guards with its own secret.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from aiohttp import web

from bot.core.phrases import Phrase, reason
from bot.core.ports import HandlePost, Post
from bot.errors import ConfigError
from bot.web.settings import WebSettings

log = logging.getLogger(__name__)

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

LARGEST = 2_000_000
"""Bytes of a request; Slack's are far smaller."""
LEAVING = 3.0


class WebServer:
    """The server. Paths are added before it runs; `is_ready` answers `/readyz`."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings
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
            app.router.add_post(path, _adapted(handle))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=LEAVING)
        await runner.setup()
        try:
            host, port = self._settings.host, self._settings.port
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                wrong = Phrase(
                    "web.host, web.port: cannot listen on {address}: {reason}",
                    address=f"{host}:{port}",
                    reason=reason(error),
                )
                raise ConfigError(wrong) from error
            self.port = runner.addresses[0][1]
            log.info("listening", extra={"host": host, "port": self.port})
            yield
        finally:
            await runner.cleanup()


async def _healthy(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


def _readiness(is_ready: Callable[[], bool]) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        if is_ready():
            return web.Response(text="ready\n")
        return web.Response(status=503, text="not connected yet\n")

    return answer


def _adapted(handle: HandlePost) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        response = await handle(Post(headers=headers, body=await request.read()))
        again = response.retry_after
        return web.Response(
            status=response.status,
            text=response.text,
            headers=None if again is None else {"Retry-After": str(again)},
        )

    return answer
