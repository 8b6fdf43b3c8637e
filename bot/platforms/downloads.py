"""Files that people sent, on their way from a platform's server."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from bot.errors import FileTooLarge

CHUNK = 256 * 1024


async def save(response: aiohttp.ClientResponse, to: Path, *, limit: int) -> None:
    """Write the body of a response into a file.

    Raises `FileTooLarge` past `limit` bytes, `aiohttp.ClientError`, and `OSError` where it cannot
    be written.
    """
    size = 0
    with await asyncio.to_thread(to.open, "wb") as file:
        async for chunk in response.content.iter_chunked(CHUNK):
            size += len(chunk)
            if size > limit:
                raise FileTooLarge(limit)
            await asyncio.to_thread(file.write, chunk)
