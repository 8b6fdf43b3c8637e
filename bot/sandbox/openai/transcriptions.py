"""`/audio/transcriptions`: multipart in; JSON, text, subtitles or segments out."""

from __future__ import annotations

import math

from aiohttp import web

from bot.sandbox.openai import refusal
from bot.sandbox.openai.backend import Endpoint, JsonObject, Recording, Transcript
from bot.sandbox.openai.call import Call
from bot.sandbox.openai.catalogue import asked
from bot.sandbox.openai.refusal import Refusal

MAX_BYTES = 25 * 1024 * 1024
"""The documented limit of an upload."""
FORMATS = ("json", "text", "srt", "verbose_json", "vtt")
SUFFIXES = ("flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm")


async def transcriptions(call: Call) -> web.StreamResponse:
    """Write down what is said."""
    body, _ = asked(call, Endpoint.TRANSCRIPTIONS, form=True)
    files = call.exchange.files.get("file", [])
    if not files:
        raise refusal.missing("file")
    file = files[0]
    if len(file.content) > MAX_BYTES:
        raise Refusal(
            413,
            f"413: Maximum content size limit ({MAX_BYTES}) exceeded "
            f"({len(file.content)} bytes read)",
            type="server_error",
        )
    if file.name.rpartition(".")[2].lower() not in SUFFIXES or not file.content:
        raise Refusal(
            400,
            f"Unrecognized file format. Supported formats: {list(SUFFIXES)}",
            param="file",
            code="invalid_value",
        )
    recording = Recording(
        file=file,
        language=body.text("language"),
        prompt=body.text("prompt"),
        temperature=body.number("temperature", 0, 1) or 0.0,
    )
    wanted = body.choice("response_format", FORMATS, "json")
    transcript = await call.backend.transcribe(recording)
    if wanted == "json":
        return await call.whole({"text": transcript.text, "usage": _usage(transcript)})
    if wanted == "verbose_json":
        return await call.whole(_verbose(transcript))
    if wanted == "text":
        return await call.whole(transcript.text + "\n", "text/plain")
    return await call.whole(_subtitles(transcript, vtt=wanted == "vtt"), "text/plain")


def _verbose(transcript: Transcript) -> JsonObject:
    return {
        "task": "transcribe",
        "language": transcript.language,
        "duration": transcript.seconds,
        "text": transcript.text,
        "usage": _usage(transcript),
        "segments": [
            {
                "id": number,
                "seek": 0,
                "start": segment.start,
                "end": segment.end,
                "text": segment.text,
                "tokens": [],
                "temperature": 0.0,
                "avg_logprob": 0.0,
                "compression_ratio": 1.0,
                "no_speech_prob": 0.0,
            }
            for number, segment in enumerate(transcript.segments)
        ],
    }


def _usage(transcript: Transcript) -> JsonObject:
    return {"type": "duration", "seconds": math.ceil(transcript.seconds)}


def _subtitles(transcript: Transcript, *, vtt: bool) -> str:
    lines = ["WEBVTT", ""] if vtt else []
    for number, segment in enumerate(transcript.segments, start=1):
        if not vtt:
            lines.append(str(number))
        start, end = (_time(moment, "." if vtt else ",") for moment in (segment.start, segment.end))
        lines += [f"{start} --> {end}", segment.text.strip(), ""]
    return "\n".join(lines) + "\n"


def _time(seconds: float, mark: str) -> str:
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
