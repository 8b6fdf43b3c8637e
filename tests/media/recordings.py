"""Recordings made up for tests: tones, silence, and the files that hold them."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from bot.core.recordings import AudioClip, ClipFile

RATE = 48_000
SPEECH = Path(__file__).parents[1] / "data" / "good-morning.ogg"


def tone(seconds: float, hertz: float = 440, loud: float = 0.3) -> array[int]:
    """A sine wave; silence when `loud` is 0."""
    step = 2 * math.pi * hertz / RATE
    top = 32_767 * loud
    return array("h", (int(top * math.sin(step * n)) for n in range(int(seconds * RATE))))


def write(
    path: Path,
    samples: array[int],
    codec: str | None = "libopus",
    *,
    form: str | None = None,
    pictures: bool = False,
    beside: array[int] | None = None,
) -> Path:
    """Encode the samples; `pictures` adds a black film, no `codec` leaves the sound away.

    What is `beside` them is a second track.
    """
    with av.open(str(path), "w", format=form) as container:
        film = container.add_stream("mpeg4", rate=5) if pictures else None
        sound = container.add_stream(codec, rate=RATE, layout="mono") if codec else None
        other = container.add_stream(codec, rate=RATE, layout="mono") if codec and beside else None
        if isinstance(film, VideoStream):
            _draw(container, film, 5 * len(samples) // RATE)
        if isinstance(sound, AudioStream):
            _play(container, sound, samples)
        if isinstance(other, AudioStream) and beside:
            _play(container, other, beside)
    return path


def _draw(container: OutputContainer, film: VideoStream, frames: int) -> None:
    film.width, film.height, film.pix_fmt = 64, 64, "yuv420p"
    for _ in range(frames):
        container.mux(film.encode(VideoFrame(64, 64, "yuv420p")))
    container.mux(film.encode(None))


def _play(container: OutputContainer, sound: AudioStream, samples: array[int]) -> None:
    fitting = AudioResampler(format=sound.codec_context.format, layout="mono", rate=RATE)
    for start in range(0, len(samples), RATE):
        part = samples[start : start + RATE]
        frame = AudioFrame(format="s16", layout="mono", samples=len(part))
        frame.sample_rate, frame.pts = RATE, start
        frame.planes[0].update(part.tobytes())
        for fit in fitting.resample(frame):
            container.mux(sound.encode(fit))
    container.mux(sound.encode(None))


def read(path: Path, rate: int = 16_000) -> array[int]:
    """Decode a file, without the code under test."""
    out = array("h")
    resampler = AudioResampler(format="s16", layout="mono", rate=rate)
    with av.open(str(path)) as container:
        for frame in [*container.decode(audio=0), None]:
            for fit in resampler.resample(frame):
                out.frombytes(bytes(fit.planes[0])[: fit.samples * 2])
    return out


def joined(clips: list[AudioClip], folder: Path) -> array[int]:
    """What is heard when the clips are played one after another."""
    out = array("h")
    for number, clip in enumerate(clips):
        path = folder / f"clip-{number}"
        path.write_bytes(clip.data)
        out += read(path)
    return out


def pitch(samples: array[int]) -> float:
    """Hertz of a tone at 16 kHz, by counting where it crosses zero."""
    crossings = sum((a < 0) != (b < 0) for a, b in pairwise(samples))
    return crossings * 8_000 / len(samples)


def loaded(clips: Sequence[ClipFile]) -> list[AudioClip]:
    """The clips in memory."""
    return [
        AudioClip(name=c.name, mime=c.mime, data=c.path.read_bytes(), seconds=c.seconds)
        for c in clips
    ]
