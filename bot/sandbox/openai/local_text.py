"""A small language model on the CPU: SmolLM2-135M through llama.cpp's own server loop.

xllamacpp runs that loop on threads of its own and calls back with bodies in the form of the API;
a callback that returns True ends the work. Its HTTP side, which cannot be turned off, listens
on the loopback behind a key that nobody knows.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

from bot.core.chat import FinishReason
from bot.sandbox.openai import windows
from bot.sandbox.openai.backend import Ended, JsonObject, Piece, Question, Said, text_of
from bot.sandbox.openai.refusal import Refusal
from bot.sandbox.openai.windows import Overlong

logger = logging.getLogger(__name__)

MODEL = "smollm2-135m-instruct"
CONTEXT = 4096
"""Tokens of question and answer together. The model was trained with more, but wanders off."""
_SLOTS = 2  # answers written at a time; more only make all of them slower
# The threads wait for each other by spinning. With as many as there are cores a machine that is
# busy otherwise writes 2 tokens per second instead of 70 (measured on two cores).
_THREADS = max(1, min(4, (os.cpu_count() or 1) // 2))
_BATCH = 256  # tokens read between two looks at whether anybody still waits
_DEFAULT_TOKENS, _MAX_TOKENS = 512, 1024

# The model card recommends temperature 0.2 and top_p 0.9; the rest keeps so small a model from
# repeating itself. The parameters are llama.cpp's.
_SAMPLING = {
    "temperature": 0.2,
    "top_p": 0.9,
    "min_p": 0.05,
    "repeat_penalty": 1.05,
    "dry_multiplier": 0.8,
    "dry_allowed_length": 4,
}

_Take: TypeAlias = Callable[[JsonObject], bool]


class TextModel:
    """Loads when it is first needed, or earlier by `load`; answers two questions at a time."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._pool = ThreadPoolExecutor(_SLOTS, thread_name_prefix="local-text")
        self._loading: asyncio.Future[Any] | None = None
        self._closing = threading.Event()

    async def load(self) -> Any:  # noqa: ANN401  # xllamacpp has no types
        """Load the model once; later calls wait for the same. Raises `Refusal`."""
        if self._loading is None:
            loop = asyncio.get_running_loop()
            self._loading = loop.run_in_executor(self._pool, _load, self._weights)
        try:
            return await asyncio.shield(self._loading)
        except RuntimeError as error:
            raise _failed() from error

    async def answer(self, question: Question) -> AsyncGenerator[Piece, None]:
        """Write an answer; closing the generator stops the writing."""
        server = await self.load()
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[JsonObject | None] = asyncio.Queue()
        given_up = threading.Event()

        def take(body: JsonObject) -> bool:
            if given_up.is_set() or self._closing.is_set():
                return True
            loop.call_soon_threadsafe(arrived.put_nowait, body)
            return False

        def write() -> None:
            try:
                if not given_up.is_set():
                    _write(server, question, take)
            finally:
                if not self._closing.is_set():
                    loop.call_soon_threadsafe(arrived.put_nowait, None)

        work = loop.run_in_executor(self._pool, write)
        end = None
        try:
            while (body := await arrived.get()) is not None:
                end = _end_of(body, end)
                if text := _text_of(body):
                    yield Said(text)
            await work
            if end is None:
                raise _failed()
            yield end
        except RuntimeError as error:  # what xllamacpp makes of an exception in C++
            raise _failed() from error
        finally:
            given_up.set()
            work.cancel()

    async def close(self) -> None:
        """Stop all answers and free the memory."""
        self._closing.set()
        await asyncio.to_thread(self._pool.shutdown, cancel_futures=True)
        self._loading = None


def _load(weights: Path) -> Any:  # noqa: ANN401  # xllamacpp has no types
    import xllamacpp  # type: ignore[import-untyped]  # a compiled module without stubs

    logger.info("local model loading", extra={"model": MODEL})
    began = time.monotonic()
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx = CONTEXT * _SLOTS
    params.n_parallel = _SLOTS
    params.n_batch = _BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = _THREADS
    params.cache_ram_mib = 0  # would keep up to 8 GiB of old conversations
    params.fit_params = False  # measures graphics cards
    params.warmup = False
    params.ui = False
    params.verbosity = -1  # a terminal UI may be running in this process
    params.n_threads_http = 1
    params.api_keys = [secrets.token_urlsafe(32)]
    server = xllamacpp.Server(params)
    seconds = round(time.monotonic() - began, 2)
    logger.info("local model loaded", extra={"model": MODEL, "seconds": seconds})
    return server


def _write(server: Any, question: Question, take: _Take) -> None:  # noqa: ANN401  # no types
    asked: JsonObject = _SAMPLING | {
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,  # calls back while a long question is being read
        "max_tokens": min(question.max_tokens or _DEFAULT_TOKENS, _MAX_TOKENS),
        "stop": list(question.stop),
    }
    for name in ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed"):
        if (value := getattr(question, name)) is not None:
            asked[name] = value
    if question.messages:
        asked["messages"] = [_plain(message) for message in question.messages]
        server.handle_chat_completions(asked, take)
    else:
        server.handle_completions(asked | {"prompt": question.prompt}, take)


def _plain(message: JsonObject) -> JsonObject:
    """The message in the words this model knows: three roles, text only."""
    roles = {"developer": "system", "tool": "user", "function": "user"}
    text = text_of(message)
    content = message.get("content")
    if isinstance(content, list) and any(part["type"] != "text" for part in content):
        text = f"{text}\n(There was a file here, which you cannot see.)".strip()
    role = message["role"]
    return {"role": roles.get(role, role), "content": text}


def _text_of(body: JsonObject) -> str:
    for choice in body.get("choices") or ():
        text = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
        return str(text)
    return ""


def _end_of(body: JsonObject, end: Ended | None) -> Ended | None:
    """What is known of the end after one more body: its reason, then the usage."""
    if (error := body.get("error")) is not None:
        raise _refused(error)
    reason = next((c.get("finish_reason") for c in body.get("choices") or ()), None)
    usage = body.get("usage") or {}
    if not reason and not (end and usage):
        return end
    return Ended(
        reason=FinishReason(reason) if reason else end.reason if end else FinishReason.STOP,
        prompt_tokens=usage.get("prompt_tokens", 0),
        completion_tokens=usage.get("completion_tokens", 0),
    )


def _refused(error: JsonObject) -> Refusal:
    if error.get("type") == "exceed_context_size_error":
        return windows.openai(Overlong(window=CONTEXT, prompt=error["n_prompt_tokens"]))
    logger.warning("local model failed", extra={"reason": error.get("message")})
    return _failed()


def _failed() -> Refusal:
    return Refusal(500, "The local model failed.", type="server_error", code="server_error")
