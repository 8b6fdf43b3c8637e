"""Transcription of speech."""

from __future__ import annotations

import hashlib
import json

from bot.api.attempts import Attempts, Call, Try
from bot.api.cache import Cache
from bot.api.errors import CallFailed, from_payload, not_the_api
from bot.api.http import Http, HttpRequest
from bot.api.settings import ApiSettings
from bot.core.chat import TranscriptionRequest
from bot.core.ports import Clock
from bot.errors import ModelErrorKind

LARGEST = 25 * 1024 * 1024
"""OpenAI, "Speech to text": files are limited to 25 MB."""
REMEMBERED = 256
REMEMBERED_SECONDS = 3600.0


class Transcriptions:
    """Writes down what is said."""

    def __init__(
        self, settings: ApiSettings, *, http: Http, attempts: Attempts, clock: Clock
    ) -> None:
        self._seconds = settings.image_timeout
        self._http = http
        self._attempts = attempts
        self._cache: Cache[str] = Cache(clock, size=REMEMBERED, seconds=REMEMBERED_SECONDS)

    async def transcribe(self, request: TranscriptionRequest) -> str:
        """The words in a clip. Raises `CallFailed`."""
        clip = request.clip
        if not request.model:
            raise CallFailed(ModelErrorKind.UNSUPPORTED, "no transcription model is configured")
        if len(clip.data) > LARGEST:
            size = f"{len(clip.data) / 1_048_576:.0f} MB of audio; the API takes 25 MB"
            raise CallFailed(ModelErrorKind.BAD_REQUEST, size)
        temperature = request.temperature
        form = {
            "model": request.model,
            "language": request.language,
            "prompt": request.prompt,
            "temperature": "" if temperature is None else str(temperature),
        }
        form = {name: value for name, value in form.items() if value}
        key = (*form.items(), hashlib.sha256(clip.data).digest())
        known = self._cache.get(key)
        if known is not None:
            return known
        files = [("file", (clip.name, clip.data, clip.mime))]
        message = HttpRequest(path="/audio/transcriptions", form=form, files=files)

        async def ask(one: Try) -> str:
            headers, body = await self._http.fetch(one.endpoint.url, message, seconds=self._seconds)
            return _words(body, headers.get("content-type", ""))

        call = Call(name="transcription", model=request.model, lane=request.lane)
        async with self._attempts.succeed(call, ask) as text:
            self._cache.put(key, text)
            return text


def _words(body: bytes, content_type: str) -> str:
    """The text of an answer: JSON with it, a JSON string, or the text alone."""
    try:
        found: object = json.loads(body)
    except ValueError:
        found = None
    if isinstance(found, dict):
        if isinstance(found.get("text"), str):
            return str(found["text"]).strip()
        raise from_payload(found) or not_the_api(body, {})
    if isinstance(found, str):
        return found.strip()
    text = body.decode("utf-8", "replace").strip()
    if text.startswith("<") or "html" in content_type:
        raise not_the_api(body, {})
    return text
