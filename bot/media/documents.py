"""Reads documents: the port `DocumentReader`, with a process for each file."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.core.chat import ImagePart
from bot.core.documents import Document, Section
from bot.errors import MediaError, MediaErrorKind

logger = logging.getLogger(__name__)

MEMORY = 1_000_000_000
"""Bytes of addresses that the process may take; PDFium and Python alone take half of it."""
AT_ONCE = 2
ANSWER = 16_000_000
"""Bytes of an answer; more than any text we ask for takes."""
_KEPT = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "TMPDIR")
"""What of the environment the process gets: none of our secrets."""


@dataclass(slots=True, kw_only=True)
class ChildReader:
    """The port `DocumentReader`. `seconds` is how long one file may take."""

    seconds: float = 40.0
    memory: int = MEMORY
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def read(
        self, path: Path, *, name: str, mime: str, characters: int, scans: int
    ) -> Document:
        """Read at most `characters`, and draw at most `scans` pages. Raises `MediaError`."""
        if (await asyncio.to_thread(path.stat)).st_size == 0:
            raise MediaError(MediaErrorKind.EMPTY)
        async with self._places:
            with TemporaryDirectory(prefix="chinwag-") as folder:
                order = {
                    "path": str(path),
                    "name": name,
                    "mime": mime,
                    "room": characters,
                    "scans": scans,
                    "folder": folder,
                    "memory": self.memory,
                    "seconds": int(self.seconds),
                }
                answer = await self._answer(json.dumps(order))
                pictures = [
                    await asyncio.to_thread((Path(folder) / f"page-{number}.jpg").read_bytes)
                    for number in range(int(answer["pictures"]))
                ]
        return Document(
            sections=tuple(Section(mark=mark, text=text) for mark, text in answer["sections"]),
            pictures=tuple(ImagePart("image/jpeg", picture) for picture in pictures),
            extent=answer["extent"],
            left_out=answer["left_out"],
        )

    async def _answer(self, order: str) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.media.reading",
            order,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={key: value for key, value in os.environ.items() if key in _KEPT},
            limit=ANSWER,
        )
        assert process.stdout is not None  # it is a pipe
        try:
            async with asyncio.timeout(self.seconds):
                written = await _all(process.stdout)
                await process.wait()
        except TimeoutError as error:
            raise MediaError(MediaErrorKind.TOO_LARGE, "it takes too long to read") from error
        finally:
            if process.returncode is None:
                process.kill()
                await asyncio.shield(process.wait())
        if process.returncode != 0:
            logger.warning("document not read", extra={"exit": process.returncode})
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
