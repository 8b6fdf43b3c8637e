"""A sandbox Slack with two people in it, the app's own client, and the page that shows them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.desk import Desk, Seat
from bot.sandbox.pages.server import serve_pages
from bot.sandbox.slack.people import Person
from bot.sandbox.slack.server import SlackSandbox
from bot.sandbox.slack.state import Channel

COMMANDS = ({"command": "/model", "description": "See or choose the model"},)


@dataclass(frozen=True, kw_only=True)
class Office:
    """Everything that a test of the desk looks at; the page is at `address`."""

    slack: SlackSandbox
    app: AsyncWebClient
    ann: Person
    ming: Person
    trip: Channel
    address: str


@pytest.fixture
async def office() -> AsyncGenerator[Office]:
    async with SlackSandbox() as slack, ClientSession() as session:
        slack.workspace.bot.name = "Chinwag"
        app = AsyncWebClient(token=slack.bot_token, base_url=slack.base_url, session=session)
        ann, ming = slack.person("Ann"), slack.person("小明", locale="zh-CN")
        trip = slack.channel("trip")
        seats = [
            Seat(name="ann", title="Ann", person=ann, channels=[trip]),
            Seat(name="ming", title="小明", person=ming, channels=[trip], language="zh"),
        ]
        async with serve_pages(Desk(slack, seats, COMMANDS)) as address:
            yield Office(slack=slack, app=app, ann=ann, ming=ming, trip=trip, address=address)


@pytest.fixture
async def browser(office: Office) -> AsyncGenerator[ClientSession]:
    async with ClientSession(office.address) as session:
        yield session
