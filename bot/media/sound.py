"""Looks into a recording and decodes it, trusting neither its name nor its header.

Only containers of the list below are opened, and only local files: FFmpeg would follow a playlist
to other files and addresses (shown with a two-line .m3u8).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition

from bot.errors import MediaError, MediaErrorKind

RATE = 16_000
"""Samples per second of all decoded audio: mono, 16 bits."""
BYTES_PER_SAMPLE = 2

_OPTIONS = {
    "format_whitelist": "ogg,mov,mp4,m4a,3gp,mp3,wav,flac,matroska,webm,aac,amr,aiff,caf,asf,avi,"
    "mpeg,mpegts,flv",
    "protocol_whitelist": "file",
}
# Outside of these a tiny file would decode to gigabytes.
_RATES = range(4_000, 384_001)
_MAX_CHANNELS = 32
_RICH = 6 * 48_000
"""Samples per second of all channels up to which a recording may be as long as any; one with more
of them may take as much work, and so be shorter."""


class Abandoned(Exception):
    """Nobody waits for the result any more. Never leaves this package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """What a file is: FFmpeg's names of its container and codec, and whether it has pictures.

    Of several `tracks` of sound the first is heard here; others may hear another. `brand` is the
    major brand of an MP4 family file; `webm` tells WebM from other Matroska.
    """

    container: str
    codec: str
    video: bool
    tracks: int = 1
    brand: str = ""
    webm: bool = False


def look(path: Path) -> Nature:
    """What the file is. Raises `MediaError`."""
    with _opened(path) as (container, stream):
        with path.open("rb") as file:
            head = file.read(64)
        return Nature(
            container=container.format.name.partition(",")[0],
            codec=stream.codec_context.name,
            video=any(
                not video.disposition & Disposition.attached_pic
                for video in container.streams.video
            ),
            tracks=len(container.streams.audio),
            brand=container.metadata.get("major_brand", "").strip(),
            webm=b"webm" in head,
        )


class Decoder:
    """The audio of a file as blocks of samples; iterate once.

    `damaged` counts the packets that could not be decoded so far.
    """

    def __init__(self, path: Path, *, longest: float, halt: threading.Event) -> None:
        self.damaged = 0
        self._path = path
        self._most = int(longest * RATE)
        self._most_work = longest * _RICH
        self._halt = halt

    def __iter__(self) -> Iterator[bytes]:
        """Blocks of little-endian 16-bit samples, mono, at `RATE`.

        Raises `MediaError`: not audio, or longer than `longest` seconds. What can be decoded of
        a damaged file is given.
        """
        samples = 0
        for frame in self._resampled():
            samples += frame.samples
            if samples > self._most:
                raise MediaError(MediaErrorKind.TOO_LONG, f"more than {self._most // RATE} s")
            yield bytes(frame.planes[0])[: frame.samples * BYTES_PER_SAMPLE]
        if samples == 0:
            raise MediaError(MediaErrorKind.NOT_AUDIO, "nothing can be decoded")

    def _resampled(self) -> Iterator[AudioFrame]:
        shape, resampler, work = None, None, 0
        for frame in self._frames():
            work += frame.samples * frame.layout.nb_channels
            if work > self._most_work:
                raise MediaError(MediaErrorKind.TOO_LONG, f"more than {work} samples")
            if frame.sample_rate not in _RATES or frame.layout.nb_channels > _MAX_CHANNELS:
                raise MediaError(MediaErrorKind.NOT_AUDIO, "an absurd sample rate or layout")
            now = (frame.format.name, frame.layout.name, frame.sample_rate)
            if now != shape:  # a chained file may change in its middle
                if resampler is not None:
                    yield from resampler.resample(None)
                shape, resampler = now, AudioResampler(format="s16", layout="mono", rate=RATE)
            if resampler is not None:
                frame.pts = None  # time stamps may lie; samples are counted
                yield from resampler.resample(frame)
        if resampler is not None:
            yield from resampler.resample(None)

    def _frames(self) -> Iterator[AudioFrame]:
        with _opened(self._path) as (container, stream):
            packets = container.demux(stream)
            while True:
                if self._halt.is_set():
                    raise Abandoned
                try:
                    packet = next(packets, None)
                    if packet is None:
                        return
                except FFmpegError:
                    self.damaged += 1
                    return
                try:
                    frames = packet.decode()
                except FFmpegError:
                    self.damaged += 1
                    continue
                yield from (frame for frame in frames if isinstance(frame, AudioFrame))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    try:
        container = av.open(str(path), options=dict(_OPTIONS), metadata_errors="ignore")
    except FFmpegError as error:
        raise MediaError(MediaErrorKind.NOT_AUDIO, "not a recording") from error
    with container:
        # A codec that FFmpeg has no decoder for has no context, whatever the types say.
        streams = [one for one in container.streams.audio if getattr(one, "codec_context", None)]
        if not streams:
            raise MediaError(MediaErrorKind.NOT_AUDIO, "no audio in it")
        yield container, streams[0]
