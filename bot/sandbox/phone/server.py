"""The phone's page: what happens on the screen goes out, what a person does comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web

from bot.sandbox.pages.page import Json, Later, Page, Tell, sent_file
from bot.sandbox.phone.seats import Seat, may_delete, picture
from bot.sandbox.telegram.buttons import ANSWER_SECONDS
from bot.sandbox.telegram.screen import next_expiry
from bot.sandbox.telegram.state import Press
from bot.sandbox.telegram.telegram import Telegram

_FILES = ("phone.css", "phone.js")


class Phone(Page[Seat]):
    """The page."""

    def __init__(self, telegram: Telegram, seats: Sequence[Seat]) -> None:
        super().__init__("/", "bot.sandbox.phone", _FILES, seats)
        self._telegram = telegram

    def screen(self, seat: Seat) -> Json:
        """The chat of a seat, and the menu of commands."""
        return picture(seat, self._telegram.menu(seat.language))

    def file(self, seat: Seat, name: str) -> web.Response:
        """The bytes of the file of a message, which is called by the id of that."""
        for message in seat.view.kept():
            if str(message.id) == name and message.file is not None:
                return sent_file(message.file.name, message.file.mime, message.file.content)
        raise LookupError(name)

    async def upload(self, seat: Seat, content: bytes, request: web.Request) -> None:
        """A file that the person sends: a photo, a voice message, or any document."""
        name, caption = request.query.get("name", "file"), request.query.get("caption", "")
        if request.query.get("kind") == "voice":
            seat.view.send_voice(content, int(request.query.get("seconds", "1")))
        elif request.content_type in {"image/jpeg", "image/png", "image/webp"}:
            seat.view.send_photo(content, caption)
        else:
            seat.view.send_document(name, content, caption, mime=request.content_type)

    async def show(self, seat: Seat, tell: Tell) -> None:
        """The screen, sent anew after every change."""
        chat = self._telegram.chats[seat.view.id]
        shown: Json = {}
        with self._telegram.changes.watch() as changes:
            while True:
                screen = self.screen(seat)
                if screen != shown:
                    await tell({"screen": screen})
                    shown = screen
                with suppress(TimeoutError):  # an indicator vanishes by itself
                    async with asyncio.timeout(next_expiry(self._telegram, chat)):
                        await changes.get()
                while not changes.empty():
                    changes.get_nowait()

    async def do(self, seat: Seat, what: Json, tell: Tell) -> Later:
        """One thing the person does, who goes on while the bot takes its time with a press."""
        press = self._do(seat, what)
        return None if press is None else self._toast(press, tell)

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
