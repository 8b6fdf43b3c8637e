"""Work on a hostile file, in a process of its own: without secrets, with limits of memory and time.

Whatever a library does with the file, the bot stays as it is.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from typing import Any

from bot.errors import MediaError, MediaErrorKind

logger = logging.getLogger(__name__)

MEMORY = 1_000_000_000
"""Bytes of addresses that the process may take; PDFium and Python alone take half of it."""
ANSWER = 16_000_000
"""Bytes of an answer; more than any text we ask for takes."""
_KEPT = ("PATH", "PYTHONPATH", "PYTHONOPTIMIZE", "VIRTUAL_ENV", "LANG", "LC_ALL", "TMPDIR")
"""What of the environment the process gets: none of our secrets."""


async def answer_of(
    module: str, order: dict[str, object], *, seconds: float, memory: int = MEMORY
) -> dict[str, Any]:
    """What a module of ours answers to an order, both in JSON. Raises `MediaError`.

    The order tells it its limits; `seconds` is how long it may take.
    """
    order = {**order, "memory": memory, "seconds": max(1, int(seconds))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        json.dumps(order),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={key: value for key, value in os.environ.items() if key in _KEPT},
        limit=ANSWER,
    )
    assert process.stdout is not None  # it is a pipe
    try:
        async with asyncio.timeout(seconds):
            written = await _all(process.stdout)
            await process.wait()
    except TimeoutError as error:
        raise MediaError(MediaErrorKind.TOO_LARGE, "it takes too long to read") from error
    finally:
        if process.returncode is None:
            process.kill()
            await asyncio.shield(process.wait())
    if process.returncode != 0:
        logger.warning("file not read", extra={"reader": module, "exit": process.returncode})
        raise MediaError(MediaErrorKind.TOO_LARGE, f"the reader ended: {process.returncode}")
    answer: dict[str, Any] = json.loads(written)
    if "error" in answer:
        raise MediaError(MediaErrorKind(answer["error"]), answer["detail"])
    return answer


async def _all(stream: asyncio.StreamReader) -> bytes:
    written = bytearray()
    while piece := await stream.read(1 << 16):
        written += piece
        if len(written) > ANSWER:
            raise MediaError(MediaErrorKind.TOO_LARGE, "too much text")
    return bytes(written)
