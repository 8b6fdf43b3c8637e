"""Fetches the pictures that the API answers with as URLs.

Such a URL comes from outside. So only public addresses are asked, or the API's own host, without
the key, without following redirects, and no more bytes are read than a picture has.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from bot.api.failures.errors import CallFailed
from bot.api.http import certificates
from bot.api.protocols.pictures import mime_of
from bot.api.settings import is_private
from bot.core.chat import ImageDelta, TextDelta
from bot.errors import ModelErrorKind

log = logging.getLogger(__name__)

LARGEST = 32 * 1024 * 1024
SECONDS = 60.0
CONNECT_SECONDS = 10.0
"""To look a name up and to connect: from some countries certain servers are silence."""
TRIES = 3
_MADE_UP = ipaddress.ip_network("198.18.0.0/15")
"""What every name leads to where the proxy also answers for the network (Clash, "fake-ip")."""
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError)


class PublicResolver(AbstractResolver):
    """Looks names up, and knows no private address."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        """The public addresses of a host. Raises `OSError`."""
        found = await self._inner.resolve(host, port, socket.AddressFamily(family))
        public = [each for each in found if ipaddress.ip_address(each["host"]).is_global]
        if not public:
            raise OSError("the host has no public address")
        return public

    async def close(self) -> None:
        """Close the inner resolver."""
        await self._inner.close()


class Downloads:
    """Fetches pictures; through the proxy where there is one, which then looks the names up.

    A proxy may stand in a network that nobody else should reach, so a name that is one of there is
    not asked for: by its looks, or by what it leads to from here.
    """

    def __init__(self, proxy: str | None) -> None:
        self._proxy = proxy
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def picture(self, url: str, base_url: str) -> ImageDelta:
        """The picture at `url`. Raises `CallFailed`: the picture exists, but cannot be had."""
        own = URL(base_url)
        place = own.join(_place(url))  # SGLang tells only the path
        trusted = (place.raw_host, place.port) == (own.raw_host, own.port)
        if not trusted and not await self._may_be_asked(place.raw_host or ""):
            raise CallFailed(ModelErrorKind.BAD_ANSWER, "the picture is at a private address")
        for attempt in range(1, TRIES + 1):
            try:
                content = await self._fetch(place, trusted=trusted)
                break
            except _FAILURES as error:
                if attempt == TRIES:
                    detail = f"the picture cannot be fetched ({type(error).__name__})"
                    raise CallFailed(ModelErrorKind.BAD_ANSWER, detail) from error
        mime = mime_of(content)
        if not mime:
            raise CallFailed(ModelErrorKind.BAD_ANSWER, "what the API drew is not a picture")
        return ImageDelta(mime, content)

    async def picture_or_link(self, url: str, base_url: str) -> ImageDelta | TextDelta:
        """The picture, or a link to it for the person to follow."""
        try:
            return await self.picture(url, base_url)
        except CallFailed as failure:
            log.warning("picture not fetched", extra={"error": failure.detail})
            return TextDelta(f"\n\n[🖼]({url})\n\n")

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def _may_be_asked(self, host: str) -> bool:
        if self._proxy is None or not _may_be_public(host):
            return _may_be_public(host)
        if is_private(host.removesuffix(".")):
            return False
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await ThreadedResolver().resolve(host, family=socket.AF_UNSPEC)
        except OSError:
            return True  # a name that only the proxy knows: mostly all of them
        addresses = [ipaddress.ip_address(each["host"]) for each in found]
        return all(address.is_global or address in _MADE_UP for address in addresses)

    async def _fetch(self, url: URL, *, trusted: bool) -> bytes:
        session = self._sessions.get(trusted)
        if session is None:
            resolver = None if trusted or self._proxy else PublicResolver()
            session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(resolver=resolver, ssl=certificates()),
                timeout=aiohttp.ClientTimeout(total=SECONDS, connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
            self._sessions[trusted] = session
        async with session.get(url, proxy=self._proxy, allow_redirects=False) as response:
            if response.status != 200:
                raise aiohttp.ClientPayloadError(f"status {response.status}")
            pieces, size = [], 0
            async for chunk in response.content.iter_any():
                pieces.append(chunk)
                size += len(chunk)
                if size > LARGEST:
                    raise CallFailed(ModelErrorKind.BAD_ANSWER, "the picture is too large")
            return b"".join(pieces)


def _place(url: str) -> URL:
    """The address as aiohttp will read it: what is judged must be what is asked.

    Other readers disagree about spellings such as `①②⑦.⓪.⓪.①`. Raises `CallFailed`.
    """
    try:
        return URL(url)
    except ValueError as error:
        detail = "the picture's address cannot be read"
        raise CallFailed(ModelErrorKind.BAD_ANSWER, detail) from error


def _may_be_public(host: str) -> bool:
    """Names are judged when they are looked up; addresses, which are not, here.

    `127.1` and `2130706433` are addresses, too, to those who connect.
    """
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return not host.replace(".", "").isdigit() and bool(host)
