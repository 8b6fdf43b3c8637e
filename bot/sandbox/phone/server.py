"""The phone's page: what happens on the screen goes out, what a person does comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress

from aiohttp import web

from bot.sandbox.pages.seats import Seats
from bot.sandbox.pages.server import (
    Json,
    Later,
    Tell,
    asset,
    converse,
    sent_file,
)
from bot.sandbox.phone.seats import Seat, may_delete, picture
from bot.sandbox.telegram.buttons import ANSWER_SECONDS
from bot.sandbox.telegram.screen import next_expiry
from bot.sandbox.telegram.state import Press
from bot.sandbox.telegram.telegram import Telegram

_FILES = ("phone.css", "phone.js")


class Phone:
    """Answers the page."""

    def __init__(self, telegram: Telegram, seats: Sequence[Seat]) -> None:
        self._telegram = telegram
        self._seats = Seats(seats)

    def routes(self) -> Iterable[web.RouteDef]:
        """The page itself, its style and its script, and what they ask for."""
        room = "bot.sandbox.phone"
        return (
            asset("/", room, "phone.html"),
            *(asset(f"/{name}", room, name) for name in _FILES),
            web.get("/seats", self._seats.listed),
            web.get("/screen/{seat}", self._screen),
            web.get("/live/{seat}", self._live),
            web.get("/file/{seat}/{message}", self._file),
            web.post("/upload/{seat}", self._upload),
        )

    async def _screen(self, request: web.Request) -> web.Response:
        """The screen as it is now, for a page that stands still (`?still`)."""
        return web.json_response(self._picture(self._seats.of(request)))

    async def _file(self, request: web.Request) -> web.Response:
        """The bytes of a file in a chat."""
        seat = self._seats.of(request)
        number = request.match_info["message"]
        for message in seat.view.kept():
            if str(message.id) == number and message.file is not None:
                return sent_file(message.file.name, message.file.mime, message.file.content)
        raise web.HTTPNotFound

    async def _upload(self, request: web.Request) -> web.Response:
        """A file that the person sends: a photo, a voice message, or any document."""
        seat, content = self._seats.of(request), await request.read()
        name, caption = request.query.get("name", "file"), request.query.get("caption", "")
        if request.query.get("kind") == "voice":
            seat.view.send_voice(content, int(request.query.get("seconds", "1")))
        elif request.content_type in {"image/jpeg", "image/png", "image/webp"}:
            seat.view.send_photo(content, caption)
        else:
            seat.view.send_document(name, content, caption, mime=request.content_type)
        return web.Response(status=204)

    async def _live(self, request: web.Request) -> web.WebSocketResponse:
        """The screen, sent anew after every change, and what the person does."""
        seat = self._seats.of(request)

        async def hear(what: Json, tell: Tell) -> Later:
            press = self._do(seat, what)
            # The bot may take its time with a press: the person goes on meanwhile.
            return None if press is None else self._toast(press, tell)

        return await converse(request, lambda tell: self._show(seat, tell), hear)

    async def _show(self, seat: Seat, tell: Tell) -> None:
        chat = self._telegram.chats[seat.view.id]
        shown: Json = {}
        with self._telegram.changes.watch() as changes:
            while True:
                screen = self._picture(seat)
                if screen != shown:
                    await tell({"screen": screen})
                    shown = screen
                with suppress(TimeoutError):  # an indicator vanishes by itself
                    async with asyncio.timeout(next_expiry(self._telegram, chat)):
                        await changes.get()
                while not changes.empty():
                    changes.get_nowait()

    def _do(self, seat: Seat, what: Json) -> Press | None:
        """One thing the person does; returns what may be answered by a toast.

        What is no longer possible is ignored, as on a phone.
        """
        match what:
            case {"send": str(words), **rest} if words.strip():
                reply_to = rest.get("replyTo")
                seat.view.send(words, reply_to=reply_to if isinstance(reply_to, int) else None)
            case {"edit": int(message), "text": str(words)} if words.strip():
                with suppress(KeyError):
                    seat.view.edit(message, words)
            case {"delete": int(message)}:
                if any(each.id == message and may_delete(seat, each) for each in seat.view.kept()):
                    seat.view.delete(message)
            case {"press": int(message), "row": int(row), "column": int(column)}:
                with suppress(LookupError):
                    return seat.view.press_at(message, row, column)
            case {"stop": True}:
                with suppress(LookupError):
                    seat.view.stop_draft()
            case _:
                pass
        return None

    async def _toast(self, press: Press, tell: Tell) -> None:
        """Show what the bot says in passing, when it comes."""
        with suppress(TimeoutError):
            await self._telegram.changes.until(lambda: press.answered, ANSWER_SECONDS)
            if press.toast:
                await tell({"toast": press.toast})

    def _picture(self, seat: Seat) -> Json:
        return picture(seat, self._telegram.menu(seat.language))
