"""Socket Mode: Bolt speaks it, and everything it hears goes through one middleware.

The middleware stands before Bolt's own, so an event is stored and acknowledged even when Bolt could
not check its token just then, and there is no kind of event without an answer. Bolt's client
reconnects by itself; when nothing at all has come through for two minutes, not even the answer to a
ping, it has gone deaf and is replaced.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from bot.core.clock import within
from bot.core.phrases import Phrase
from bot.core.ports import Clock
from bot.errors import ConfigError, PlatformError
from bot.platforms.slack.calls import Calls, sdk_log
from bot.platforms.slack.errors import BAD_TOKEN, Refused, Unreachable

log = logging.getLogger(__name__)

Take: TypeAlias = Callable[[dict[str, Any]], Awaitable[bool]]

SILENCE = 120.0
"""Seconds without a sign of life after which the connection is replaced."""
PING_EVERY = 10.0
FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0
CONNECTING = 30.0
SETTLING = 2.0
"""Seconds that events under way are given when the connection closes; then they come again."""
ACKNOWLEDGED, NOT_STORED = 200, 503
BAD_APP_TOKEN = frozenset({"not_allowed_token_type", "missing_scope"})


class Sockets:
    """Keeps one connection open and hands what arrives to `take`, which says whether to ack."""

    def __init__(
        self,
        calls: Calls,
        app_token: str,
        *,
        clock: Clock,
        silence: float = SILENCE,
        ping_every: float = PING_EVERY,
    ) -> None:
        self._calls = calls
        self._app_token = app_token
        self._clock = clock
        self._silence = silence
        self._ping_every = ping_every
        self._taking: set[asyncio.Task[Any]] = set()

    async def run(self, take: Take, ready: Callable[[], None]) -> None:
        """Stay connected until cancelled; call `ready` once, when connected.

        Raises `ConfigError` when the app token is wrong.
        """
        pause, is_first = FIRST_PAUSE, True
        while True:
            try:
                async with self._connection(await self._new_url(), take) as client:
                    pause = FIRST_PAUSE
                    if is_first:
                        ready()
                        is_first = False
                    await self._listen(client)
                log.warning("socket gone deaf, reconnecting", extra={"seconds": self._silence})
            except PlatformError as error:
                wait = error.retry_after or pause
                log.warning("no connection to slack", extra={"error": repr(error), "seconds": wait})
                await self._clock.sleep(wait)
                pause = min(LAST_PAUSE, pause * 2)

    async def _new_url(self) -> str:
        try:
            return await open_socket_url(self._calls, self._app_token)
        except Refused as refusal:
            if refusal.code in BAD_TOKEN | BAD_APP_TOKEN:
                refused = Phrase(
                    "slack.app_token is refused ({code}): it must begin with xapp- and have the "
                    "scope connections:write",
                    code=refusal.code,
                )
                raise ConfigError(refused) from refusal
            raise

    @asynccontextmanager
    async def _connection(self, url: str, take: Take) -> AsyncIterator[SocketModeClient]:
        closing = asyncio.Event()
        handler = AsyncSocketModeHandler(
            self._bolt(take, closing), self._app_token, ping_interval=self._ping_every
        )
        handler.client.wss_uri = url
        connecting = asyncio.create_task(handler.connect_async())  # type: ignore[no-untyped-call]  # Bolt's has no annotations
        try:
            connected, _ = await asyncio.wait({connecting}, timeout=CONNECTING)
            if not connected:  # Bolt tries one address for ever, but each is good for once
                raise Unreachable("the socket did not open")
            yield handler.client
        finally:
            connecting.cancel()
            await asyncio.wait({connecting})
            await self._settle()
            closing.set()
            await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt's has no annotations

    async def _listen(self, client: SocketModeClient) -> None:
        """Return when there has been no sign of life for too long.

        Bolt's client notes the time of each answered ping. It also sets that time when it has
        none, after it has reconnected by itself: only a change from one to another means life. It
        stays without one until its next ping, so looking twice as often misses nothing.
        """
        sign, since = client.last_ping_pong_time, self._clock.monotonic()
        while self._clock.monotonic() - since < self._silence:
            await self._clock.sleep(self._ping_every / 2)
            newest = client.last_ping_pong_time
            if None not in (sign, newest) and newest != sign:
                since = self._clock.monotonic()
            sign = newest

    async def _settle(self) -> None:
        """Let what arrives be stored and acknowledged before the connection closes.

        Also what comes meanwhile: where it came again to another process, that might have answered
        what was written after it.
        """

        async def settled() -> None:
            while self._taking:
                await asyncio.wait(self._taking)

        await within(self._clock, SETTLING, settled())
        for task in list(self._taking):
            task.cancel()
        if self._taking:
            await asyncio.wait(self._taking)

    def _bolt(self, take: Take, closing: asyncio.Event) -> AsyncApp:
        """What arrives while the connection is `closing` could not be acknowledged any more."""

        async def commit(body: dict[str, Any]) -> BoltResponse:
            if closing.is_set():
                return BoltResponse(status=NOT_STORED)
            task = asyncio.current_task()
            assert task is not None  # Bolt makes one per frame
            self._taking.add(task)
            task.add_done_callback(self._taking.discard)
            return BoltResponse(status=ACKNOWLEDGED if await take(body) else NOT_STORED)

        return AsyncApp(
            client=self._calls.client,
            name="chinwag",
            logger=sdk_log(),
            before_authorize=commit,
            ssl_check_enabled=False,
            request_verification_enabled=False,
            url_verification_enabled=False,
        )


async def open_socket_url(calls: Calls, app_token: str) -> str:
    """A new address to connect to. Raises `PlatformError` and its kinds."""
    answer = await calls.paced(
        "apps.connections.open",
        lambda: calls.client.apps_connections_open(app_token=app_token),
    )
    return str(answer["url"])
