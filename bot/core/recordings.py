"""Recordings, and what is said in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bot.core.models import UsageEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioClip:
    """Audio in memory, named by its real container (`voice.ogg`), ready for the API."""

    name: str
    mime: str
    data: bytes = field(repr=False)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFile:
    """An audio clip on the disk, ready for the API; `seconds` long."""

    name: str
    mime: str
    path: Path
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionRequest:
    """Write down what is said in `clip`; `language` in ISO 639-1 where known.

    `timestamps` asks for segments with times; a model that cannot give them gives the text alone.
    `response_format` is the API's word (`json`, `text`, `srt`, `verbose_json`, `vtt`); empty: the
    one that fits. Whichever it is, the result is the same `Transcript`.
    """

    model: str
    clip: AudioClip
    language: str = ""
    prompt: str = ""
    temperature: float | None = None
    timestamps: bool = False
    response_format: str = ""
    lane: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of speech; times in seconds from the beginning of the clip."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What is said in a clip; empty when nothing is. Unknown: no segments, "", None.

    `usage` is None when the same clip was transcribed a short while ago: nothing was paid.
    """

    text: str
    segments: tuple[Segment, ...] = ()
    language: str = ""
    seconds: float | None = None
    usage: UsageEntry | None = None
