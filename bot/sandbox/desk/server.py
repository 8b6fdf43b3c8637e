"""The desk's page: what is in the workspace goes out, what a person does comes in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress

from aiohttp import web

from bot.sandbox.desk.seats import Seat, picture
from bot.sandbox.pages.seats import Seats
from bot.sandbox.pages.server import Json, Later, Tell, asset, converse, sent_file
from bot.sandbox.slack.people import Place
from bot.sandbox.slack.server import SlackSandbox

_FILES = ("desk.css", "desk.js", "post.js")
LOOK = 5.0
"""Seconds after which it is looked for what has expired; everything else says that it changed."""


class Desk:
    """Answers the page. `commands` are those that the app has, as its manifest lists them."""

    def __init__(
        self, slack: SlackSandbox, seats: Sequence[Seat], commands: Sequence[Json] = ()
    ) -> None:
        self._slack = slack
        self._seats = Seats(seats)
        self._commands = [
            {"name": command["command"], "summary": command["description"]} for command in commands
        ]

    def routes(self) -> Iterable[web.RouteDef]:
        """The page itself, its style and its scripts, and what they ask for."""
        room = "bot.sandbox.desk"
        return (
            asset("/slack", room, "desk.html"),
            *(asset(f"/{name}", room, name) for name in _FILES),
            web.get("/slack/seats", self._seats.listed),
            web.get("/slack/screen/{seat}", self._screen),
            web.get("/slack/live/{seat}", self._live),
            web.get("/slack/file/{seat}/{file}", self._file),
            web.post("/slack/upload/{seat}", self._upload),
        )

    async def _screen(self, request: web.Request) -> web.Response:
        """The desk as it is now, for a page that stands still (`?still`)."""
        return web.json_response(self._picture(self._seats.of(request)))

    async def _file(self, request: web.Request) -> web.Response:
        """The bytes of a file in a room."""
        try:
            file = self._seats.of(request).file(request.match_info["file"])
        except LookupError:
            raise web.HTTPNotFound from None
        return sent_file(file.name, file.mime, file.content)

    async def _upload(self, request: web.Request) -> web.Response:
        """A file that the person sends, be it recorded or chosen."""
        seat, content, asked = self._seats.of(request), await request.read(), request.query
        try:
            place = seat.place(asked.get("room", ""), asked.get("thread", ""))
        except LookupError:
            raise web.HTTPNotFound from None
        if asked.get("kind") == "voice":
            seconds = float(asked.get("seconds", "1"))
            await place.record(content, seconds=seconds, mime=request.content_type)
        else:
            words = self._stored(asked.get("caption", ""))
            name = asked.get("name", "file")
            await place.upload(name, content, request.content_type, text=words)
        return web.Response(status=204)

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        """The desk, sent anew after every change, and what the person does."""
        seat = self._seats.of(request)

        async def hear(what: Json, tell: Tell) -> Later:
            with suppress(LookupError, ValueError):  # what is not possible is ignored
                await self._do(seat, what)
            return None

        return await converse(request, lambda tell: self._show(seat, tell), hear)

    async def _show(self, seat: Seat, tell: Tell) -> None:
        shown: Json = {}
        screen: Json = {}

        def is_news() -> bool:
            nonlocal screen
            screen = self._picture(seat)
            return screen != shown

        while True:
            with suppress(TimeoutError):
                await self._slack.wait_for(is_news, LOOK)
                shown = screen
                await tell({"screen": shown})

    async def _do(self, seat: Seat, what: Json) -> None:
        """One thing the person does. Raises `LookupError`, `ValueError` where it cannot be."""
        match what:
            case {"open": "direct"}:
                await seat.person.open_messages()
            case {"pick": str(title)}:
                await seat.person.pick(title)
            case {"room": str(room), "thread": str(thread), **rest}:
                await self._do_in(seat.place(room, thread), rest)
            case _:
                pass

    async def _do_in(self, place: Place, what: Json) -> None:
        match what:
            case {"send": str(words)} if words.strip():
                await place.send(self._stored(words))
            case {"slash": str(line)}:
                await place.slash(line)
            case {"edit": str(ts), "text": str(words)} if words.strip():
                await place.edit_at(ts, self._stored(words))
            case {"delete": str(ts)}:
                await place.delete_at(ts)
            case {"press": str(ts), "number": int(number)}:
                await place.press_at(ts, number)
            case {"rate": str(ts), "good": bool(good)}:
                await place.rate_at(ts, good=good)
            case {"stop": True}:
                await place.stop()
            case _:
                pass

    def _stored(self, words: str) -> str:
        """What somebody writes with its mentions as Slack stores them: `@Ann` is `<@U1>`."""
        for user in self._slack.workspace.users.values():
            name = rf"(?<![A-Za-z0-9_])@{re.escape(user.name)}(?![A-Za-z0-9_])"
            words = re.sub(name, f"<@{user.id}>", words, flags=re.IGNORECASE)
        return words

    def _picture(self, seat: Seat) -> Json:
        return picture(seat) | {"commands": self._commands}
