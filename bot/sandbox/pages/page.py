"""A page of the demo: whose screen can be looked at on it, and what it asks this machine for."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote

from aiohttp import WSMsgType, web

from bot.core.errands import Errands

Json: TypeAlias = dict[str, Any]
Tell: TypeAlias = Callable[[Json], Awaitable[None]]
"""Sends news to a page."""
Later: TypeAlias = Coroutine[Any, Any, None] | None
"""What goes on beside, after somebody has done something."""

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One person; `name` stands in the page's address, `title` above it."""

    name: str
    title: str
    language: str = "en"


S = TypeVar("S", bound=Seat)


class Page(ABC, Generic[S]):
    """A page on which the screen of each seat is seen, and used.

    It lies at `path`. Its `package` has an HTML file of its own name, and the `files` of the page.
    """

    def __init__(self, path: str, package: str, files: Sequence[str], seats: Sequence[S]) -> None:
        self._path = path
        self._package = package
        self._files = files
        self._seats = {seat.name: seat for seat in seats}

    def routes(self) -> Iterable[web.RouteDef]:
        """The page itself, its style and its scripts, and what they ask for."""
        name, below = self._package.rpartition(".")[2], self._path.rstrip("/")
        return (
            asset(self._path, self._package, f"{name}.html"),
            *(asset(f"/{file}", self._package, file) for file in self._files),
            web.get(f"{below}/seats", self._listed),
            web.get(f"{below}/screen/{{seat}}", self._still),
            web.get(f"{below}/live/{{seat}}", self._live),
            web.get(f"{below}/file/{{seat}}/{{file}}", self._file),
            web.post(f"{below}/upload/{{seat}}", self._upload),
        )

    # ------------------------------------------------------------ what each page has of its own

    @abstractmethod
    def screen(self, seat: S) -> Json:
        """What the page draws now."""

    @abstractmethod
    async def show(self, seat: S, tell: Tell) -> None:
        """Tell the page its screen, and again after every change; until cancelled."""

    @abstractmethod
    async def do(self, seat: S, what: Json, tell: Tell) -> Later:
        """Do one thing that the person does; what is not possible is ignored."""

    @abstractmethod
    def file(self, seat: S, name: str) -> web.Response:
        """A file that the person sees. Raises `LookupError`."""

    @abstractmethod
    async def upload(self, seat: S, content: bytes, request: web.Request) -> None:
        """Send a file for the person, as the request's query tells. Raises `LookupError`."""

    # ------------------------------------------------------------ requests

    async def _listed(self, request: web.Request) -> web.Response:
        """Whose screen can be looked at, and in which language."""
        seats = self._seats.values()
        return web.json_response(
            [{"name": each.name, "title": each.title, "language": each.language} for each in seats]
        )

    async def _still(self, request: web.Request) -> web.Response:
        """The screen as it is now, for a page that stands still (`?still`)."""
        return web.json_response(self.screen(self._seat(request)))

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        seat = self._seat(request)
        return await _converse(
            request,
            lambda tell: self.show(seat, tell),
            lambda what, tell: self.do(seat, what, tell),
        )

    async def _file(self, request: web.Request) -> web.Response:
        try:
            return self.file(self._seat(request), request.match_info["file"])
        except LookupError:
            raise web.HTTPNotFound from None

    async def _upload(self, request: web.Request) -> web.Response:
        try:
            await self.upload(self._seat(request), await request.read(), request)
        except LookupError:
            raise web.HTTPNotFound from None
        return web.Response(status=204)

    def _seat(self, request: web.Request) -> S:
        """The seat that an address names. Raises `HTTPNotFound`."""
        seat = self._seats.get(request.match_info["seat"])
        if seat is None:
            raise web.HTTPNotFound
        return seat


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


async def _converse(
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
