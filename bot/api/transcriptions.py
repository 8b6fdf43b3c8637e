"""Transcription of speech."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace

from bot.api.attempts import Attempt, Call
from bot.api.cache import Cache
from bot.api.failures.errors import CallFailed, from_payload, not_the_api
from bot.api.http import HttpRequest
from bot.api.parts import Parts
from bot.api.protocols.usage import NOTHING_USED, Price, detail_of, read_usage
from bot.api.protocols.wire import Json, objects_in
from bot.core.models import UsageEntry, UsageKind
from bot.core.punctuation import joined
from bot.core.recordings import Segment, Transcript, TranscriptionRequest
from bot.errors import ModelErrorKind

LARGEST = 25 * 1024 * 1024
"""OpenAI, "Speech to text": files are limited to 25 MB."""
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
REMEMBERED = 256
REMEMBERED_SECONDS = 3600.0
_CUE = re.compile(
    r"^(?:(\d+):)?(\d+):(\d+)[.,](\d{3}) --> (?:(\d+):)?(\d+):(\d+)[.,](\d{3}).*$", re.MULTILINE
)
"""The line of times that every cue of SubRip and WebVTT has."""


_RAW = re.compile(r"^\s*language \w+<asr_text>")
"""A prefix of what Qwen's speech models write, which some servers pass on."""


class Transcriptions:
    """Writes down what is said."""

    def __init__(self, parts: Parts, *, price: Price) -> None:
        self._parts = parts
        self._clock = clock = parts.clock
        self._price = price
        self._cache: Cache[Transcript] = Cache(clock, size=REMEMBERED, seconds=REMEMBERED_SECONDS)

    async def transcribe(
        self,
        request: TranscriptionRequest,
        *,
        sent: Callable[[], None],
        unheard: Callable[[], None],
    ) -> Transcript:
        """The words in a clip. Raises `CallFailed`.

        `sent` is called when it goes out, and `unheard` when nothing at all comes from the server.
        """
        check_transcription(request)
        asked = _form(request)
        key = (*asked.items(), hashlib.sha256(request.clip.data).digest())
        known = self._cache.get(key)
        if known is not None:
            return known
        clip, began = request.clip, self._clock.monotonic()
        files = [("file", (clip.name, clip.data, clip.mime))]

        async def ask(attempt: Attempt) -> tuple[Transcript, Json]:
            form = attempt.adapted(asked)
            message = HttpRequest(path="/audio/transcriptions", form=form, files=files)
            url, seconds = attempt.endpoint.url, self._parts.settings.image_timeout
            headers, body = await self._parts.http.fetch(url, message, seconds=seconds)
            return _transcript(body, headers.get("content-type", ""))

        call = Call(
            name="transcription",
            model=request.model,
            lane=request.lane,
            sent=sent,
            unheard=unheard,
        )
        async with self._parts.attempts.succeed(call, ask) as (transcript, usage):
            self._cache.put(key, transcript)
        used = read_usage(usage) or NOTHING_USED
        entry = UsageEntry(
            kind=UsageKind.AUDIO,
            model=request.model,
            seconds=transcript.seconds or clip.seconds,
            latency=self._clock.monotonic() - began,
            prompt_tokens=used.prompt_tokens,
            completion_tokens=used.completion_tokens,
            media_tokens=detail_of(usage, "audio_tokens", within="input"),
        )
        return replace(transcript, usage=await self._price(entry))


def check_transcription(request: TranscriptionRequest) -> None:
    """Refuse what cannot succeed before it is sent. Raises `CallFailed`."""
    size = len(request.clip.data)
    wrong = ""
    if not request.model:
        raise CallFailed(ModelErrorKind.UNSUPPORTED, "no transcription model is configured")
    if size > LARGEST:
        wrong = f"{size / 1_048_576:.0f} MB of audio; the API takes 25 MB"
    elif not size:
        wrong = "the recording is empty"
    elif request.response_format not in ("", *FORMATS):
        wrong = f"response_format is one of {', '.join(FORMATS)}"
    elif request.temperature is not None and not 0 <= request.temperature <= 1:
        wrong = "temperature is between 0 and 1"
    if wrong:
        raise CallFailed(ModelErrorKind.BAD_REQUEST, wrong, sent=False)


def _form(request: TranscriptionRequest) -> dict[str, str]:
    """The fields beside the file; those that are empty are left away."""
    wanted = request.response_format or ("verbose_json" if request.timestamps else "")
    form = {
        "model": request.model,
        "language": request.language,
        "prompt": request.prompt,
        "temperature": "" if request.temperature is None else str(request.temperature),
        "response_format": wanted,
    }
    return {name: value for name, value in form.items() if value}


def _transcript(body: bytes, content_type: str) -> tuple[Transcript, Json]:
    """The transcript of an answer in any form, and the usage it reports."""
    try:
        found: object = json.loads(body)
    except RecursionError:
        raise not_the_api(body, {}) from None
    except ValueError:
        found = None
    if isinstance(found, dict):
        if not isinstance(found.get("text"), str):
            raise from_payload(found) or not_the_api(body, {})
        usage = found.get("usage")
        return _from_json(found), usage if isinstance(usage, dict) else {}
    text = found if isinstance(found, str) else body.decode("utf-8", "replace")
    if text.lstrip().startswith("<") or "html" in content_type:
        raise not_the_api(body, {})
    segments = subtitles(text)
    if segments:
        words = joined(segment.text for segment in segments)
        return Transcript(text=words, segments=segments), {}
    text = text.strip()
    return Transcript(text="" if text == "WEBVTT" else text), {}


def _from_json(found: Json) -> Transcript:
    usage = found.get("usage")
    seconds = found.get("duration")
    if seconds is None and isinstance(usage, dict):
        seconds = usage.get("seconds")
    language = found.get("language")
    return Transcript(
        text=_RAW.sub("", str(found["text"])).strip(),
        segments=tuple(_segments(found.get("segments"))),
        language=language if isinstance(language, str) else "",
        seconds=_number(seconds),
    )


def _segments(items: object) -> list[Segment]:
    found: list[Segment] = []
    for item in objects_in(items):
        if not isinstance(item.get("text"), str):
            continue
        start, end = _number(item.get("start")), _number(item.get("end"))
        if start is not None and end is not None and item["text"].strip():
            found.append(Segment(start=start, end=end, text=item["text"].strip()))
    return found


def subtitles(text: str) -> tuple[Segment, ...]:
    """The cues of SubRip or WebVTT; none when it is neither."""
    text = "\n".join(text.splitlines())
    cues = list(_CUE.finditer(text))
    found: list[Segment] = []
    ends = [*(cue.start() for cue in cues[1:]), len(text)]
    for cue, until in zip(cues, ends, strict=False):
        block = text[cue.end() : until]
        words = " ".join(block.strip().split("\n\n")[0].split())
        start, end = (_moment(cue.groups()[at : at + 4]) for at in (0, 4))
        if words:
            found.append(Segment(start=start, end=end, text=words))
    return tuple(found)


def _moment(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _number(value: object) -> float | None:
    """A number of seconds; some gateways write it as a string."""
    try:
        number = float(value) if isinstance(value, str | int | float) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and 0 <= number < 1e9 else None
