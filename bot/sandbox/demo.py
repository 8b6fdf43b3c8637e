"""The demo: a Telegram and a Slack with two people, who are alone with the bot and in a group."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.sandbox import desk, phone
from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.pages.page import Json
from bot.sandbox.pages.server import serve_pages
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.telegram.telegram import Telegram

ADMINS = frozenset({"telegram:1001", "slack:U1001"})
"""Ann runs the bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """A Telegram and a Slack for the bot, who sits there, and the address of the page."""

    telegram: Telegram
    slack: SlackSandbox
    desks: Sequence[desk.Seat]
    address: str


@asynccontextmanager
async def serve_demo(port: int, commands: Sequence[Json] = ()) -> AsyncGenerator[Demo]:
    """Serve both platforms and the page; `commands` are the Slack app's, as in its manifest.

    Telegram's own parser judges the formatting where it is installed (the extra `sandbox`).
    Raises `ConfigError` when the port is taken.
    """
    has_judge = importlib.util.find_spec("tdjson") is not None
    async with (
        telegram_sandbox.serve(username="chinwag_bot", name="Chinwag", judge=has_judge) as telegram,
        SlackSandbox() as slack,
    ):
        at_desks = desks(slack)
        pages = phone.Phone(telegram, phones(telegram)), desk.Desk(slack, at_desks, commands)
        async with serve_pages(*pages, port=port) as address:
            yield Demo(telegram=telegram, slack=slack, desks=at_desks, address=address)


def phones(telegram: Telegram) -> Sequence[phone.Seat]:
    """Every chat of Telegram as each person sees it."""
    ann = telegram.person(id=1001, name="Ann")
    ming = telegram.person(id=1002, name="小明", language="zh-hans")
    trip = telegram.group("Weekend trip")
    together = "Weekend trip · 小明"
    return (
        phone.Seat(name="ann", title="Ann", view=ann.private()),
        phone.Seat(name="ming", title="小明", view=ming.private(), language="zh"),
        phone.Seat(name="trip-ann", title="Weekend trip · Ann", view=trip.seen_by(ann)),
        phone.Seat(name="trip-ming", title=together, view=trip.seen_by(ming), language="zh"),
    )


def desks(slack: SlackSandbox) -> Sequence[desk.Seat]:
    """The workspace as each person sees it."""
    slack.workspace.bot.name = "Chinwag"
    ann = slack.person("Ann", id="U1001")
    ming = slack.person("小明", id="U1002", locale="zh-CN")
    channels = [slack.channel("weekend-trip")]
    return (
        desk.Seat(name="ann", title="Ann", person=ann, channels=channels),
        desk.Seat(name="ming", title="小明", person=ming, channels=channels, language="zh"),
    )
