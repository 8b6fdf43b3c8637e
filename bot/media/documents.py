"""Reads documents: the port `DocumentReader`, with a process for each file."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.core.chat import ImagePart
from bot.core.documents import Document, Section
from bot.errors import MediaError, MediaErrorKind
from bot.media.process import MEMORY, answer_of

AT_ONCE = 2


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
                }
                answer = await answer_of(
                    "bot.media.reading", order, seconds=self.seconds, memory=self.memory
                )
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
