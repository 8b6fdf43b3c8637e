"""Speech recognition on the CPU: Whisper tiny.en through faster-whisper."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bot.core.recordings import Segment
from bot.sandbox.openai.backend import Recording, Transcript
from bot.sandbox.openai.refusal import Refusal

logger = logging.getLogger(__name__)

MODEL = "whisper-tiny.en"


class SpeechModel:
    """Loads when it is first needed; listens to one recording at a time, in order."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="local-speech")
        self._model: Any = None
        self._closing = threading.Event()

    async def transcribe(self, recording: Recording) -> Transcript:
        """Write down what is said; silence gives no segments. Being cancelled stops the work."""
        given_up = threading.Event()

        def listen() -> Transcript | None:
            return None if given_up.is_set() else self._listen(recording, given_up)

        work = asyncio.get_running_loop().run_in_executor(self._pool, listen)
        try:
            transcript = await work
        finally:
            given_up.set()
        if transcript is None:
            raise Refusal(503, "The server is closing.", type="server_error")
        return transcript

    async def close(self) -> None:
        """Stop listening and free the memory."""
        self._closing.set()
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        self._model = None

    def _listen(self, recording: Recording, given_up: threading.Event) -> Transcript | None:
        if self._model is None:
            self._model = _load(self._weights)
        heard, info = _open(self._model, recording)
        segments: list[Segment] = []
        for part in heard:  # each step hears up to 30 s
            if given_up.is_set() or self._closing.is_set():
                return None
            segments.append(Segment(start=part.start, end=part.end, text=part.text.strip()))
        return Transcript(language="en", seconds=info.duration, segments=tuple(segments))


def _load(weights: Path) -> Any:  # noqa: ANN401  # faster-whisper has no types
    from faster_whisper import WhisperModel  # type: ignore[import-untyped]  # it has no stubs

    logger.info("local model loading", extra={"model": MODEL})
    began = time.monotonic()
    model = WhisperModel(
        str(weights),
        device="cpu",
        compute_type="int8",
        cpu_threads=min(4, os.cpu_count() or 1),
        local_files_only=True,
    )
    seconds = round(time.monotonic() - began, 2)
    logger.info("local model loaded", extra={"model": MODEL, "seconds": seconds})
    return model


def _open(model: Any, recording: Recording) -> tuple[Any, Any]:  # noqa: ANN401  # no types
    from av.error import FFmpegError

    try:
        # The voice filter keeps silence from being heard as "Thank you."
        heard, info = model.transcribe(
            io.BytesIO(recording.file.content),
            language="en",
            initial_prompt=recording.prompt or None,
            temperature=(recording.temperature, max(0.4, recording.temperature)),
            vad_filter=True,
            condition_on_previous_text=False,
        )
        return heard, info
    except (FFmpegError, IndexError) as error:  # damaged; without an audio stream
        raise Refusal(
            400,
            "The audio file could not be decoded or its format is not supported.",
            param="file",
            code="invalid_value",
        ) from error
