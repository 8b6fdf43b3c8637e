"""The page and its socket: what happens on the screen goes out, what a person does comes in."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from urllib.parse import quote

from aiohttp import WSMsgType, web

from bot.errors import ConfigError
from bot.sandbox.phone.seats import Json, Seat, picture
from bot.sandbox.telegram.screen import next_expiry
from bot.sandbox.telegram.state import Press
from bot.sandbox.telegram.telegram import Telegram

MAX_UPLOAD = 50 * 1024 * 1024
"""What Telegram lets a bot see is smaller; a person may try."""
_PAGE = {
    "page.html": "text/html",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "texts.js": "text/javascript",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; media-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@asynccontextmanager
async def serve(
    telegram: Telegram, seats: Sequence[Seat], *, host: str = "127.0.0.1", port: int = 0
) -> AsyncGenerator[str]:
    """Serve the page for these seats and yield its address; port 0 takes a free one.

    Raises `ConfigError` when the port is taken.
    """
    app = web.Application(client_max_size=MAX_UPLOAD, middlewares=[_own_page_only])
    app.on_response_prepare.append(_add_headers)
    phone = _Phone(telegram, seats)
    app.router.add_get("/", phone.page)
    app.router.add_get(r"/{file:page\.css|page\.js|texts\.js}", phone.page)
    app.router.add_get("/seats", phone.seats)
    app.router.add_get("/screen/{seat}", phone.screen)
    app.router.add_get("/live/{seat}", phone.live)
    app.router.add_get("/file/{seat}/{message}", phone.file)
    app.router.add_post("/upload/{seat}", phone.upload)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigError(f"port {port} is taken; choose another with --port") from error
        yield f"http://{host}:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


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


class _Phone:
    """Answers the page."""

    def __init__(self, telegram: Telegram, seats: Sequence[Seat]) -> None:
        self._telegram = telegram
        self._seats = {seat.name: seat for seat in seats}

    async def page(self, request: web.Request) -> web.Response:
        """The page itself, its style and its script."""
        name = request.match_info.get("file", "page.html")
        text = files("bot.sandbox.phone").joinpath(name).read_text("utf-8")
        return web.Response(text=text, content_type=_PAGE[name], charset="utf-8")

    async def seats(self, request: web.Request) -> web.Response:
        """Whose phone can be looked at, and in which language."""
        seats = self._seats.values()
        return web.json_response(
            [{"name": each.name, "title": each.title, "language": each.language} for each in seats]
        )

    async def screen(self, request: web.Request) -> web.Response:
        """The screen as it is now, for a page that stands still (`?still`)."""
        return web.json_response(self._picture(self._seat(request)))

    async def file(self, request: web.Request) -> web.Response:
        """The bytes of a file in a chat. What is no picture or sound is downloaded, not shown."""
        seat = self._seat(request)
        number = request.match_info["message"]
        for message in seat.view.kept():
            if str(message.id) == number and message.file is not None:
                kind = message.file.mime.partition("/")[0]
                is_shown = kind in {"image", "audio", "video"} and "svg" not in message.file.mime
                name = f"attachment; filename*=UTF-8''{quote(message.file.name, safe='')}"
                headers = {} if is_shown else {"Content-Disposition": name}
                mime = message.file.mime if is_shown else "application/octet-stream"
                return web.Response(body=message.file.content, content_type=mime, headers=headers)
        raise web.HTTPNotFound

    async def upload(self, request: web.Request) -> web.Response:
        """A file that the person sends: a photo, a voice message, or any document."""
        seat, content = self._seat(request), await request.read()
        name, caption = request.query.get("name", "file"), request.query.get("caption", "")
        if request.query.get("kind") == "voice":
            seat.view.send_voice(content, int(request.query.get("seconds", "1")))
        elif request.content_type in {"image/jpeg", "image/png", "image/webp"}:
            seat.view.send_photo(content, caption)
        else:
            seat.view.send_document(name, content, caption, mime=request.content_type)
        return web.Response(status=204)

    async def live(self, request: web.Request) -> web.WebSocketResponse:
        """The screen, sent anew after every change, and what the person does."""
        seat = self._seat(request)
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        showing = asyncio.create_task(self._show(seat, socket))
        toasts = set[asyncio.Task[None]]()
        try:
            async for message in socket:
                press = self._do(seat, message.data) if message.type is WSMsgType.TEXT else None
                if press is not None:  # the bot may take its time: the person goes on meanwhile
                    toast = asyncio.create_task(self._toast(socket, press))
                    toasts.add(toast)
                    toast.add_done_callback(toasts.discard)
        finally:
            for task in (going := (showing, *toasts)):
                task.cancel()
            for task in going:
                with suppress(asyncio.CancelledError, ConnectionError):
                    await task
        return socket

    async def _show(self, seat: Seat, socket: web.WebSocketResponse) -> None:
        chat = self._telegram.chats[seat.view.id]
        shown: Json = {}
        with self._telegram.changes.watch() as changes:
            while True:
                screen = self._picture(seat)
                if screen != shown:
                    await socket.send_json({"screen": screen})
                    shown = screen
                with suppress(TimeoutError):  # an indicator vanishes by itself
                    async with asyncio.timeout(next_expiry(self._telegram, chat)):
                        await changes.get()
                while not changes.empty():
                    changes.get_nowait()

    def _do(self, seat: Seat, text: str) -> Press | None:
        """One thing the person does; returns what may be answered by a toast.

        What is no longer possible is ignored, as on a phone.
        """
        match json.loads(text):
            case {"send": str(words), **rest} if words.strip():
                reply_to = rest.get("replyTo")
                seat.view.send(words, reply_to=reply_to if isinstance(reply_to, int) else None)
            case {"edit": int(message), "text": str(words)} if words.strip():
                with suppress(KeyError):
                    seat.view.edit(message, words)
            case {"press": int(message), "row": int(row), "column": int(column)}:
                with suppress(LookupError):
                    return seat.view.press_at(message, row, column)
            case {"stop": True}:
                with suppress(LookupError):
                    seat.view.stop_draft()
            case _:
                pass
        return None

    async def _toast(self, socket: web.WebSocketResponse, press: Press) -> None:
        """Show what the bot says in passing, when it comes."""
        with suppress(TimeoutError):
            await self._telegram.changes.until(lambda: press.answered)
            if press.toast:
                await socket.send_json({"toast": press.toast})

    def _picture(self, seat: Seat) -> Json:
        return picture(seat, self._telegram.menu(seat.language, chat=seat.view.id))

    def _seat(self, request: web.Request) -> Seat:
        seat = self._seats.get(request.match_info["seat"])
        if seat is None:
            raise web.HTTPNotFound
        return seat
