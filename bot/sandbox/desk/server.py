"""The desk's page: what is in the workspace goes out, what a person does comes in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import web

from bot.sandbox.desk.seats import Seat, picture
from bot.sandbox.pages.page import Json, Later, Page, Tell, sent_file
from bot.sandbox.slack.people import Place
from bot.sandbox.slack.server import SlackSandbox

_FILES = ("desk.css", "desk.js", "post.js")
LOOK = 5.0
"""Seconds after which it is looked for what has expired; everything else says that it changed."""


class Desk(Page[Seat]):
    """The page. `commands` are those that the app has, as its manifest lists them."""

    def __init__(
        self, slack: SlackSandbox, seats: Sequence[Seat], commands: Sequence[Json] = ()
    ) -> None:
        super().__init__("/slack", "bot.sandbox.desk", _FILES, seats)
        self._slack = slack
        self._commands = [
            {"name": command["command"], "summary": command["description"]} for command in commands
        ]

    def screen(self, seat: Seat) -> Json:
        """The rooms of a person, and the commands."""
        return picture(seat) | {"commands": self._commands}

    def file(self, seat: Seat, name: str) -> web.Response:
        """The bytes of a file in a room."""
        file = seat.file(name)
        return sent_file(file.name, file.mime, file.content)

    async def upload(self, seat: Seat, content: bytes, request: web.Request) -> None:
        """A file that the person sends, be it recorded or chosen."""
        asked = request.query
        place = seat.place(asked.get("room", ""), asked.get("thread", ""))
        if asked.get("kind") == "voice":
            seconds = float(asked.get("seconds", "1"))
            await place.record(content, seconds=seconds, mime=request.content_type)
        else:
            words = self._stored(asked.get("caption", ""))
            name = asked.get("name", "file")
            await place.upload(name, content, request.content_type, text=words)

    async def show(self, seat: Seat, tell: Tell) -> None:
        """The desk, sent anew after every change."""
        shown: Json = {}
        screen: Json = {}

        def is_news() -> bool:
            nonlocal screen
            screen = self.screen(seat)
            return screen != shown

        while True:
            with suppress(TimeoutError):
                await self._slack.wait_for(is_news, LOOK)
                shown = screen
                await tell({"screen": shown})

    async def do(self, seat: Seat, what: Json, tell: Tell) -> Later:
        """One thing the person does; what is not possible is ignored."""
        with suppress(LookupError, ValueError):
            await self._do(seat, what)
        return None

    async def _do(self, seat: Seat, what: Json) -> None:
        """One thing the person does. Raises `LookupError`, `ValueError` where it cannot be."""
        match what:
            case {"open": "direct"}:
                await seat.person.open()
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
