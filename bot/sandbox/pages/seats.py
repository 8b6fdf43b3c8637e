"""Who can be looked at on a page; the page names one of them in its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiohttp import web


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """One person; `name` stands in the page's address, `title` above it."""

    name: str
    title: str
    language: str = "en"


S = TypeVar("S", bound=Seat)


class Seats(Generic[S]):
    """The seats of a page, by their names."""

    def __init__(self, seats: Sequence[S]) -> None:
        self._seats = {seat.name: seat for seat in seats}

    async def listed(self, request: web.Request) -> web.Response:
        """Whose screen can be looked at, and in which language."""
        seats = self._seats.values()
        return web.json_response(
            [{"name": each.name, "title": each.title, "language": each.language} for each in seats]
        )

    def of(self, request: web.Request) -> S:
        """The `seat` that an address names. Raises `HTTPNotFound`."""
        seat = self._seats.get(request.match_info["seat"])
        if seat is None:
            raise web.HTTPNotFound
        return seat
