"""Who takes part in the demo: two people, each alone with the bot, and both in a group."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from bot.sandbox import telegram as sandbox
from bot.sandbox.phone.seats import Seat
from bot.sandbox.phone.server import serve
from bot.sandbox.telegram.telegram import Telegram

ADMIN = "telegram:1001"
"""Ann runs the bot."""


@asynccontextmanager
async def serve_demo(port: int) -> AsyncGenerator[tuple[Telegram, str]]:
    """A Telegram for the bot, and the address of the page with everybody's phone.

    Telegram's own parser judges the formatting where it is installed (the extra `sandbox`).
    Raises `ConfigError` when the port is taken.
    """
    has_judge = importlib.util.find_spec("tdjson") is not None
    async with (
        sandbox.serve(username="chinwag_bot", name="Chinwag", judge=has_judge) as telegram,
        serve(telegram, seats(telegram), port=port) as address,
    ):
        yield telegram, address


def seats(telegram: Telegram) -> Sequence[Seat]:
    """Every chat as each person sees it."""
    ann = telegram.person(id=1001, name="Ann")
    ming = telegram.person(id=1002, name="小明", language="zh-hans")
    trip = telegram.group("Weekend trip")
    return (
        Seat(name="ann", title="Ann", view=ann.private()),
        Seat(name="ming", title="小明", view=ming.private(), language="zh"),
        Seat(name="trip-ann", title="Weekend trip · Ann", view=trip.seen_by(ann)),
        Seat(name="trip-ming", title="Weekend trip · 小明", view=trip.seen_by(ming), language="zh"),
    )
