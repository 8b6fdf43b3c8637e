"""Makes recordings fit for the API: the port `AudioTools` with FFmpeg's libraries (PyAV)."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from bot.core.recordings import ClipFile
from bot.errors import MediaError, MediaErrorKind

if TYPE_CHECKING:
    from array import array

    from bot.media.sound import Nature

logger = logging.getLogger(__name__)

# What the transcription endpoint takes, by its file names:
# https://platform.openai.com/docs/guides/speech-to-text
_AS_IT_IS = {
    ("ogg", "opus"): ("ogg", "audio/ogg"),
    ("ogg", "vorbis"): ("ogg", "audio/ogg"),
    ("mp3", "mp3"): ("mp3", "audio/mpeg"),
    ("mp3", "mp3float"): ("mp3", "audio/mpeg"),
    ("wav", "pcm_s16le"): ("wav", "audio/wav"),
    ("wav", "pcm_s24le"): ("wav", "audio/wav"),
    ("wav", "pcm_u8"): ("wav", "audio/wav"),
    ("flac", "flac"): ("flac", "audio/flac"),
    ("mov", "aac"): ("m4a", "audio/mp4"),
    ("mov", "alac"): ("m4a", "audio/mp4"),
    ("matroska", "opus"): ("webm", "audio/webm"),
    ("matroska", "vorbis"): ("webm", "audio/webm"),
}
AT_ONCE = 2
"""Recordings worked on at a time. Each takes a thread for up to minutes, of the few that there are
for everything: looking up a name is done on one, too."""
LONG = 2_000_000
"""Bytes of a recording that takes long. Only one of such is worked on at a time: a voice message
does not wait for two lectures."""
_SEARCH = 30  # seconds around a boundary in which a pause is looked for
_OVERHEAD = 0.9  # share of a clip's bytes that is sound; containers and peaks take the rest


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioPreparer:
    """The port `AudioTools`.

    A clip is at most `longest` seconds long; a recording of more than `most` seconds is refused
    (a small file can claim to last for days).
    """

    longest: float = 10 * 60
    most: float = 4 * 3600
    _places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    _long: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE - 1))

    async def prepare(
        self, path: Path, *, name: str, max_bytes: int, folder: Path
    ) -> Sequence[ClipFile]:
        """Look into the file and return it as clips the API takes, in order, as files in `folder`.

        One clip, as it came, when container and size fit; else converted, and split at silence.
        Raises `MediaError`. All work is done on a thread, which stops when this is cancelled.
        """
        halt = threading.Event()
        size = (await asyncio.to_thread(path.stat)).st_size
        if size == 0:
            raise MediaError(MediaErrorKind.EMPTY)
        try:
            async with self._long if size > LONG else nullcontext(), self._places:
                return await asyncio.to_thread(
                    self._prepare, path, size, name, max_bytes, folder, halt
                )
        finally:
            halt.set()

    def _prepare(
        self, path: Path, size: int, name: str, max_bytes: int, folder: Path, halt: threading.Event
    ) -> list[ClipFile]:
        from bot.media.levels import SILENCE, STEPS_PER_SECOND, measure
        from bot.media.sound import Decoder, look

        nature = look(path)
        decoder = Decoder(path, longest=self.most, halt=halt)
        levels = measure(decoder)
        if max(levels) < SILENCE:
            raise MediaError(MediaErrorKind.SILENT)
        seconds = len(levels) / STEPS_PER_SECOND
        stem = _stem(name)
        kept = _kept(nature)
        if kept and not decoder.damaged and size <= max_bytes and seconds <= self.longest:
            suffix, mime = kept
            return [ClipFile(name=f"{stem}.{suffix}", mime=mime, path=path, seconds=seconds)]
        clips = self._converted(path, folder / stem, levels, max_bytes, halt)
        logger.info(
            "recording converted",
            extra={
                "container": nature.container,
                "codec": nature.codec,
                "seconds": round(seconds, 1),
                "clips": len(clips),
                "damaged": decoder.damaged,
            },
        )
        return clips

    def _converted(
        self, path: Path, to: Path, levels: array[int], max_bytes: int, halt: threading.Event
    ) -> list[ClipFile]:
        from bot.media.clips import BIT_RATE, encode
        from bot.media.levels import STEP, STEPS_PER_SECOND, cuts
        from bot.media.sound import Decoder

        longest = min(self.longest, max_bytes * 8 * _OVERHEAD / BIT_RATE)
        if longest < 1:
            raise MediaError(MediaErrorKind.TOO_LARGE)
        steps = int(longest * STEPS_PER_SECOND)
        search = min(_SEARCH * STEPS_PER_SECOND, steps // 4)
        ends = [place * STEP for place in cuts(levels, longest=steps, search=search)]
        decoder = Decoder(path, longest=self.most, halt=halt)
        clips: list[ClipFile] = []
        for number, (data, seconds) in enumerate(encode(decoder, ends), start=1):
            clip = to.with_name(f"{to.name}-{number}.ogg" if ends else f"{to.name}.ogg")
            clip.write_bytes(data)
            clips.append(ClipFile(name=clip.name, mime="audio/ogg", path=clip, seconds=seconds))
        return clips


def _kept(nature: Nature) -> tuple[str, str] | None:
    """Suffix and type of a file that the API takes as it is."""
    is_film = nature.video or nature.brand == "qt"
    is_other = nature.container == "matroska" and not nature.webm
    if is_film or is_other or nature.tracks > 1:
        return None
    return _AS_IT_IS.get((nature.container, nature.codec))


def _stem(name: str) -> str:
    """A harmless file name that still resembles the one given."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", PurePath(name).stem).strip("-")[:40] or "audio"
