"""HTTP as the client uses it: aiohttp, with errors translated.

Not httpx, whose connections collapse at a hundred streams in flight, and not httpx over aiohttp,
which takes half as much again for a request and hides what failed. Nothing is decoded or decided
here but whether an answer is one.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any

import aiohttp
import certifi

from bot.api.failures.bodies import json_of
from bot.api.failures.errors import (
    CallFailed,
    from_payload,
    from_response,
    from_transport,
    not_the_api,
)
from bot.api.settings import ApiSettings
from bot.core.phrases import Phrase
from bot.core.single_flight import SingleFlight
from bot.errors import ModelErrorKind

LARGEST_BODY = 64 * 1024 * 1024
LARGEST_ERROR = 64 * 1024
TAIL = 4.0
"""Seconds of silence after which a body that is whole counts as ended, though nobody said so.

Where apiyi.com draws, the end of the body may come half a minute or more behind its last byte, or
never: the picture was paid, and lost (https://docs.apiyi.com/en/api-capabilities/image-tail-stall).
"""
KEEP_ALIVE = 15.0
"""Seconds an idle connection is kept: less than any server does, so that none is used stale."""
_PROBES = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}
"""Seconds until the system asks whether a silent connection still stands, and then between two such
questions; how many of them may stay unanswered."""

_encode = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request to the API; `path` is appended to the base URL."""

    path: str
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    files: Sequence[tuple[str, tuple[str, bytes, str]]] | None = None
    accept: str = "application/json"

    @property
    def method(self) -> str:
        """GET without a body, else POST."""
        return "GET" if self.json is None and self.files is None else "POST"


class Http:
    """The connections to the API. Opened with the first request, so that starting stays quick."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self.proxy = settings.proxy.get_secret_value() if settings.proxy else None
        self._session: aiohttp.ClientSession | None = None
        self._opening = SingleFlight(self._begin_session)

    async def prepare(self) -> None:
        """Do what the first request would have to wait for; no network."""
        await self._open_session()

    @asynccontextmanager
    async def open(
        self, base_url: str, request: HttpRequest
    ) -> AsyncGenerator[aiohttp.ClientResponse]:
        """Send a request; the response is closed at the end of the block. Raises `CallFailed`."""
        headers = {"accept": request.accept}
        if request.json is not None:
            headers["content-type"] = "application/json"
        session = await self._open_session()
        try:
            response = await session.request(
                request.method,
                base_url + request.path,
                data=_body(request),
                headers=headers,
                proxy=self.proxy,
                allow_redirects=False,
            )
        except aiohttp.ClientError as error:
            raise from_transport(error) from error
        try:
            if not 200 <= response.status < 300:
                body = await read_body(response, LARGEST_ERROR)
                raise from_response(response.status, response.headers, body)
            yield response
        finally:
            response.close()  # of no effect on the connection when all has been read

    async def fetch(
        self, base_url: str, request: HttpRequest, *, seconds: float
    ) -> tuple[Mapping[str, str], bytes]:
        """Send a request and read the whole answer within `seconds`. Raises `CallFailed`."""
        try:
            async with asyncio.timeout(seconds), self.open(base_url, request) as response:
                return response.headers, await read_body(response, LARGEST_BODY)
        except TimeoutError as error:
            late = Phrase("no answer in {seconds} s", seconds=f"{seconds:g}")
            raise CallFailed(ModelErrorKind.TIMEOUT, late) from error

    async def fetch_json(
        self, base_url: str, request: HttpRequest, *, seconds: float
    ) -> dict[str, Any]:
        """The same of an answer that is a JSON object, and no error. Raises `CallFailed`."""
        found = json_object(*await self.fetch(base_url, request, seconds=seconds))
        if (failure := from_payload(found)) is not None:
            raise failure
        return found

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _open_session(self) -> aiohttp.ClientSession:
        while (session := self._session) is None:
            await self._opening.run()
        return session

    async def _begin_session(self) -> None:
        settings = self._settings
        headers = {"user-agent": "chinwag", "accept-encoding": "identity"}
        if settings.key is not None:
            headers["authorization"] = f"Bearer {settings.key.get_secret_value()}"
        encrypted = any(url.startswith("https:") for url in (*settings.base_urls, self.proxy or ""))
        # Reading hundreds of certificates takes 0.1 s, in which no answer may stand still.
        trusted = await asyncio.to_thread(certificates) if encrypted else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                ssl=trusted,
                keepalive_timeout=KEEP_ALIVE,
                socket_factory=_probed_socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            # Reading has deadlines of its own; this one is for a name's look-up as well.
            timeout=aiohttp.ClientTimeout(total=None, connect=settings.connect_timeout),
        )


def _probed_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """A socket whose connection the system looks after while nothing is said.

    A model may think for minutes. Meanwhile the routers on the way forget a silent connection, many
    after one to five minutes, and the answer would be lost; or the server's machine goes down.
    """
    family, kind, protocol, *_ = address
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PROBES.items():
        if (option := getattr(socket, name, None)) is not None:  # not everywhere
            opened.setsockopt(socket.IPPROTO_TCP, option, value)
    return opened


@cache
def certificates() -> ssl.SSLContext:
    """Whom to trust: those the system trusts (a company's own, say), and the usual ones."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _body(request: HttpRequest) -> bytes | aiohttp.FormData | None:
    if request.json is not None:
        # Half a surrogate pair, which some client sent, becomes a question mark.
        return _encode(request.json).encode("utf-8", "replace")
    if request.files is None:
        return None
    form = aiohttp.FormData(request.form or {}, quote_fields=False)
    for name, (filename, content, mime) in request.files:
        # Bytes would be written at once, and all chats stand still meanwhile.
        form.add_field(name, BytesIO(content), filename=filename, content_type=mime)
    return form


async def next_chunk(response: aiohttp.ClientResponse) -> bytes:
    """More of the body as it comes; nothing at its end.

    Decompressed, where the server insists on compressing. Raises `CallFailed`.
    """
    try:
        return await response.content.readany()
    except aiohttp.ClientError as error:
        raise from_transport(error) from error


async def more_of_body(response: aiohttp.ClientResponse, body: bytearray) -> bytes:
    """The next bytes of a body of which `body` has been read; empty at its end.

    Once what has been read is whole JSON, silence or a broken connection counts as the end. Raises
    `CallFailed`.
    """
    if not body[-16:].rstrip().endswith((b"}", b"]")):
        return await next_chunk(response)
    try:
        async with asyncio.timeout(TAIL):
            return await next_chunk(response)
    except TimeoutError:
        return b"" if json_of(body) is not None else await next_chunk(response)
    except CallFailed:
        if json_of(body) is None:
            raise
        return b""


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The whole body. Raises `CallFailed` when it breaks off or is larger than `limit` bytes."""
    body = bytearray()
    while chunk := await more_of_body(response, body):
        body += chunk
        if len(body) > limit:
            raise CallFailed(ModelErrorKind.BAD_ANSWER, f"the answer is larger than {limit} bytes")
    return bytes(body)


def json_object(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The JSON object of a body, white space before it included. Raises `CallFailed`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise not_the_api(body, headers) from None
    if not isinstance(found, dict):
        raise not_the_api(body, headers)
    return found
