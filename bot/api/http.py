"""HTTP as the client uses it: httpx over aiohttp's connections, errors translated.

aiohttp below httpx, because httpx's own pool collapses at a hundred streams in flight. Nothing is
decoded or decided here but whether an answer is one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from bot.api.errors import CallFailed, from_response, from_transport, not_the_api
from bot.api.settings import ApiSettings
from bot.errors import ModelErrorKind

LARGEST_BODY = 64 * 1024 * 1024
LARGEST_ERROR = 64 * 1024
KEEP_ALIVE = 15.0
"""Seconds an idle connection is kept: less than any server does, so that none is used stale."""


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

    def __init__(
        self, settings: ApiSettings, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    @asynccontextmanager
    async def open(self, base_url: str, request: HttpRequest) -> AsyncGenerator[httpx.Response]:
        """Send a request; the response is closed at the end of the block. Raises `CallFailed`."""
        client = self._open_client()
        content = None
        headers = {"accept": request.accept}
        if request.json is not None:
            # Half a surrogate pair, which some client sent, becomes a question mark.
            content = json.dumps(request.json, ensure_ascii=False).encode("utf-8", "replace")
            headers["content-type"] = "application/json"
        try:
            built = client.build_request(
                request.method,
                base_url + request.path,
                content=content,
                data=request.form,
                files=request.files,
                headers=headers,
            )
            await built.aread()
            response = await client.send(built, stream=True)
        except (httpx.HTTPError, aiohttp.ClientError) as error:
            raise from_transport(error) from error
        try:
            if not response.is_success:
                body = await read_body(response, LARGEST_ERROR)
                raise from_response(response.status_code, response.headers, body)
            yield response
        finally:
            await response.aclose()

    async def fetch(
        self, base_url: str, request: HttpRequest, *, seconds: float
    ) -> tuple[httpx.Headers, bytes]:
        """Send a request and read the whole answer within `seconds`. Raises `CallFailed`."""
        try:
            async with asyncio.timeout(seconds), self.open(base_url, request) as response:
                return response.headers, await read_body(response, LARGEST_BODY)
        except TimeoutError as error:
            raise CallFailed(ModelErrorKind.TIMEOUT, f"no answer in {seconds:g} s") from error

    async def close(self) -> None:
        """Close all connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _open_client(self) -> httpx.AsyncClient:
        if self._client is None:
            settings = self._settings
            headers = {"user-agent": "chinwag", "accept-encoding": "identity"}
            if settings.key is not None:
                headers["authorization"] = f"Bearer {settings.key.get_secret_value()}"
            self._client = httpx.AsyncClient(
                transport=self._transport or _aiohttp(settings),
                headers=headers,
                # Reading has deadlines of its own; "pool" is what aiohttp takes for a name's
                # look-up and the connection together.
                timeout=httpx.Timeout(
                    None, connect=settings.connect_timeout, pool=settings.connect_timeout
                ),
            )
        return self._client


def _aiohttp(settings: ApiSettings) -> httpx.AsyncBaseTransport:
    context = httpx.create_ssl_context()
    proxy = httpx.Proxy(settings.proxy.get_secret_value()) if settings.proxy else None

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=context, keepalive_timeout=KEEP_ALIVE),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    return AiohttpTransport(client=session, verify=context, proxy=proxy)


def chunks_of(response: httpx.Response) -> AsyncIterable[bytes]:
    """The body's bytes as they come, decompressed where the server insists on compressing."""
    if response.headers.get("content-encoding", "identity") == "identity":
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return response.stream  # without httpx's two layers of iterators: a third of the work
    return response.aiter_bytes()


async def translated(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The same bytes; failures are raised as `CallFailed`."""
    try:
        async for chunk in chunks:
            yield chunk
    except (httpx.HTTPError, aiohttp.ClientError) as error:
        raise from_transport(error) from error


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """The whole body. Raises `CallFailed` when it breaks off or is larger than `limit` bytes."""
    pieces: list[bytes] = []
    size = 0
    async for chunk in translated(chunks_of(response)):
        pieces.append(chunk)
        size += len(chunk)
        if size > limit:
            raise CallFailed(ModelErrorKind.BAD_ANSWER, f"the answer is larger than {limit} bytes")
    return b"".join(pieces)


def json_object(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The JSON object of a body, white space before it included. Raises `CallFailed`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise not_the_api(body, headers) from None
    if not isinstance(found, dict):
        raise not_the_api(body, headers)
    return found
