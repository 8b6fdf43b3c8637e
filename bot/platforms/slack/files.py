"""Fetching what people sent.

A file's address is asked for when it is fetched: ids last, addresses need not. Slack may lead on
from there: to another host of its own, which wants the token too (Enterprise Grid:
`files-origin.slack.com`), or to one of others, whose address is signed and which must not see it.
Without the scope `files:read` it leads to its login page.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import aiohttp

from bot.core.types import Attachment
from bot.errors import FileTooLarge, MediaError, MediaErrorKind, PlatformError
from bot.platforms.downloads import save
from bot.platforms.slack.calls import Calls, Json
from bot.platforms.slack.errors import Refused, translated

log = logging.getLogger(__name__)

MAX_FILE_IN = 200_000_000
"""Bytes. Slack carries 1 GB; nothing we can use is that large."""
DOWNLOAD = aiohttp.ClientTimeout(total=600, connect=10, sock_read=30)
OK, GONE = 200, frozenset({401, 403, 404, 410})
LEADS_ON = frozenset({301, 302, 303, 307, 308})
HOPS = 5
PHOTOS = frozenset({"image/heic", "image/heif"})
"""What nobody here can open, nor any model."""
THUMBS = (1024, 960, 800, 720, 480, 360)
"""Sizes of the pictures that Slack makes of a picture (docs.slack.dev, "File object")."""
NO_SCOPE = "Slack sent its login page: the scope files:read is missing"


async def download(calls: Calls, base_url: str, attachment: Attachment, to: Path) -> None:
    """Fetch a file to `to`. Raises `FileTooLarge`, `MediaError`, `PlatformError`."""
    if attachment.size is not None and attachment.size > MAX_FILE_IN:
        raise FileTooLarge(MAX_FILE_IN)
    try:
        file = (await calls.call("files.info", {"file": attachment.id})).get("file", {})
    except Refused as refusal:
        raise _withheld(str(refusal)) from refusal
    if int(file.get("size") or 0) > MAX_FILE_IN:
        raise FileTooLarge(MAX_FILE_IN)
    url = _address_of(file)
    if not _is_slacks(url, base_url):
        raise _withheld("the file does not lie at Slack")
    with translated():
        async with _opened(calls, base_url, url) as answer:
            if answer.status in GONE:
                raise _withheld(f"HTTP {answer.status}")
            if answer.status != OK:
                raise PlatformError(f"the file was not handed over: HTTP {answer.status}")
            if answer.content_type == "text/html" and "html" not in attachment.mime:
                raise _withheld(NO_SCOPE)
            await save(answer, to, limit=MAX_FILE_IN)


def _address_of(file: Json) -> str:
    """Where a file is fetched; of a photo as iPhones take them, the picture that Slack has made."""
    photo = file.get("mimetype") in PHOTOS
    names = (*(f"thumb_{size}" for size in THUMBS if photo), "url_private_download", "url_private")
    return str(next(filter(None, map(file.get, names)), ""))


@asynccontextmanager
async def _opened(calls: Calls, base_url: str, url: str) -> AsyncIterator[aiohttp.ClientResponse]:
    """What is handed over at an address, or where Slack leads from there."""
    for _ in range(HOPS):
        token = {"Authorization": f"Bearer {calls.token}"} if _is_slacks(url, base_url) else {}
        async with calls.session.get(
            url, headers=token, allow_redirects=False, timeout=DOWNLOAD
        ) as answer:
            if answer.status not in LEADS_ON:
                yield answer
                return
            url = urljoin(url, answer.headers.get("Location", ""))
        if "redir" in parse_qs(urlsplit(url).query):  # where to go on after signing in
            raise _withheld(NO_SCOPE)
    raise PlatformError("the file was not handed over: Slack leads in circles")


def _withheld(why: str) -> MediaError:
    log.warning("file withheld", extra={"why": why})
    return MediaError(MediaErrorKind.WITHHELD, why)


def _is_slacks(url: str, base_url: str) -> bool:
    """Whether the token may be shown to this address."""
    given, ours = urlsplit(url), urlsplit(base_url)
    if (given.scheme, given.netloc) == (ours.scheme, ours.netloc):
        return True
    host = given.hostname or ""
    return given.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))
