"""Calls of Slack's Web API: paced, with errors in the terms of the core.

The SDK's own retries stay off: it repeats a post whose outcome is unknown, which doubles it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.lru import LruCache
from bot.core.ports import Clock
from bot.core.types import ChatRef
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.errors import translated
from bot.platforms.slack.ids import parse_chat
from bot.platforms.slack.pace import Pacer

Json: TypeAlias = dict[str, Any]
T = TypeVar("T")

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10)
"""`connect` is for one of the connections: for one that others use now, or for a new one."""
CONNECTIONS = 200
MOVES = 1_000
"""Channels with another id of which it is remembered."""
CHANNEL = ("channel", "channel_id")
AS_JSON = ("chat.", "assistant.", "agents.")
"""Methods that take a JSON body; the others take only forms and queries."""


def sdk_log() -> logging.Logger:
    """The log of Slack's libraries.

    Its level is set because they compare it themselves: a logger without a level of its own is
    taken for DEBUG, and then they write out every call, with its text, before it is dropped. Where
    less than INFO is wanted, it is less.
    """
    wanted = logging.getLogger(__name__).getEffectiveLevel()
    log = logging.getLogger("bot.platforms.slack.sdk")
    log.setLevel(max(logging.INFO, wanted))
    return log


class Calls:
    """Slack's Web API for one bot token. The connections open with the first call."""

    def __init__(self, token: str, *, base_url: str, clock: Clock) -> None:
        self.clock = clock
        self.pacer = Pacer(clock)
        self.token = token
        self._moves: LruCache[str, str] = LruCache(MOVES)
        self._session: aiohttp.ClientSession | None = None
        self._client = AsyncWebClient(
            token=token, base_url=base_url, retry_handlers=[], logger=sdk_log()
        )

    @property
    def client(self) -> AsyncWebClient:
        """Slack's own client, over a session of ours that keeps its connections."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=CONNECTIONS)
            # The SDK has read the environment; aiohttp would do so in a thread at every call.
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=TIMEOUT, proxy=self._client.proxy
            )
            self._client.session = self._session
        return self._client

    @property
    def session(self) -> aiohttp.ClientSession:
        """The same connections, for what is no method of the Web API."""
        session = self.client.session
        assert session is not None  # `client` has just set it
        return session

    def move(self, old: str, new: str) -> None:
        """A channel has another id: what stands in it is found there from now on."""
        self._moves.put(old, new)

    def channel(self, channel: str) -> str:
        """What a channel is called now."""
        return self._moves.get(channel) or channel

    async def call(
        self,
        method: str,
        args: Json,
        *,
        channel: str = "",
        urgency: Urgency = Urgency.FINAL,
        chat: str = "",
    ) -> Json:
        """Call a method with what is not None. Raises `PlatformError` and its kinds."""
        given = {key: value for key, value in args.items() if value is not None}
        given |= {key: self.channel(given[key]) for key in CHANNEL if key in given}

        async def make() -> Json:
            if method.startswith(AS_JSON):
                answer = await self.client.api_call(method, json=given)
            else:
                answer = await self.client.api_call(method, params=given)
            return answer.data if isinstance(answer.data, dict) else {}

        return await self.paced(method, make, channel=channel, urgency=urgency, chat=chat)

    async def in_chat(self, chat: ChatRef, method: str, args: Json, urgency: Urgency) -> Json:
        """Call a method in a chat's channel, after the one that is under way in the chat."""
        channel = parse_chat(chat).channel
        args = {"channel": channel, **args}
        return await self.call(method, args, channel=channel, urgency=urgency, chat=chat.id)

    async def paced(
        self,
        method: str,
        make: Callable[[], Awaitable[T]],
        *,
        channel: str = "",
        urgency: Urgency = Urgency.FINAL,
        chat: str = "",
    ) -> T:
        """Make a call through Slack's client when it is its turn. Raises like `call`."""

        async def checked() -> T:
            with translated():
                return await make()

        return await self.pacer.call(method, channel, urgency, checked, chat=chat)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
