"""Embeddings, in as few calls as the inputs fit into."""

from __future__ import annotations

import base64
import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.api.attempts import Attempt, Call
from bot.api.cache import Cache
from bot.api.failures.errors import CallFailed
from bot.api.http import HttpRequest
from bot.api.parts import Parts
from bot.api.protocols.usage import Price, read_usage
from bot.api.protocols.wire import Json, objects_in
from bot.api.tokens import estimate_tokens
from bot.core.models import UsageEntry, UsageKind
from bot.errors import ModelErrorKind

INPUTS = 2_048
"""Inputs in one call (OpenAI API reference, "Create embeddings")."""
TOKENS = 250_000
"""Tokens in one call; the reference allows 300,000, and this is an estimate."""
SECONDS = 60.0
REMEMBERED = 32 * 1024 * 1024
"""Bytes of vectors: 5,000 or so of the usual 768 numbers."""
REMEMBERED_SECONDS = 3600.0

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A vector per text, in order, and what the calls cost: none where all was remembered."""

    vectors: tuple[tuple[float, ...], ...] = field(repr=False)
    usage: tuple[UsageEntry, ...] = ()


class Embeddings:
    """Asks for embeddings, and remembers them for a while."""

    def __init__(self, parts: Parts, *, price: Price) -> None:
        self._parts = parts
        self._lessons = parts.lessons
        self._clock = parts.clock
        self._price = price
        self._cache: Cache[array[float]] = Cache(
            parts.clock,
            size=REMEMBERED,
            seconds=REMEMBERED_SECONDS,
            weigh=lambda vector: len(vector) * vector.itemsize,
        )

    async def embed(self, model: str, texts: Sequence[str]) -> Embedded:
        """The embedding of each text, in order. Raises `CallFailed`."""
        usage: list[UsageEntry] = []
        if not model:
            raise CallFailed(ModelErrorKind.UNSUPPORTED, "no embedding model is configured")
        found: dict[str, Vector] = {}
        for text in texts:
            if (known := self._cache.get((model, text))) is not None:
                found[text] = tuple(known)
        waiting = [text for text in dict.fromkeys(texts) if text not in found]
        while waiting:
            batch = first_batch(waiting, self._lessons.inputs(model) or INPUTS)
            try:
                vectors, entry = await self._ask(model, batch)
            except CallFailed as failure:
                if not self._lessons.learn_inputs(model, failure, len(batch)):
                    raise
                continue
            usage.append(entry)
            for text, fresh in zip(batch, vectors, strict=True):
                self._cache.put((model, text), array("d", fresh))
                found[text] = fresh
            del waiting[: len(batch)]
        return Embedded(vectors=tuple(found[text] for text in texts), usage=tuple(usage))

    async def _ask(self, model: str, batch: Sequence[str]) -> tuple[Sequence[Vector], UsageEntry]:
        body = {"model": model, "input": list(batch), "encoding_format": "base64"}
        began, estimate = self._clock.monotonic(), sum(map(estimate_tokens, batch))

        async def ask(attempt: Attempt) -> tuple[Sequence[Vector], int]:
            message = HttpRequest(path="/embeddings", json=attempt.adapted(body))
            url = attempt.endpoint.url
            found = await self._parts.http.fetch_json(url, message, seconds=SECONDS)
            vectors = _vectors(found, len(batch))
            if used := read_usage(found.get("usage")):
                attempt.slot.correct(used.prompt_tokens)
            return vectors, used.prompt_tokens if used else 0

        call = Call(name="embedding", model=model, lane="", tokens=estimate)
        async with self._parts.attempts.succeed(call, ask) as (vectors, reported):
            pass
        entry = UsageEntry(
            kind=UsageKind.EMBEDDING,
            model=model,
            prompt_tokens=reported or estimate,
            latency=self._clock.monotonic() - began,
            estimated=not reported,
        )
        return vectors, await self._price(entry)


def first_batch(texts: Sequence[str], inputs: int) -> Sequence[str]:
    """As many of the texts as fit into one call; at least one."""
    tokens = 0
    for number, text in enumerate(texts[:inputs]):
        tokens += estimate_tokens(text)
        if number and tokens > TOKENS:
            return texts[:number]
    return texts[:inputs]


def _vectors(body: Json, count: int) -> Sequence[Vector]:
    """The vectors in the order of the inputs; servers may answer in another."""
    items = objects_in(body.get("data"))
    if len(items) != count:
        detail = f"{len(items)} embeddings for {count} texts"
        raise CallFailed(ModelErrorKind.BAD_ANSWER, detail, status=200)
    if all(isinstance(item.get("index"), int) for item in items):
        items.sort(key=lambda item: int(item["index"]))
    return [_vector(item.get("embedding")) for item in items]


def _vector(embedding: object) -> Vector:
    """A vector as numbers or as base64 of little-endian 32-bit floats; both are common answers."""
    try:
        if isinstance(embedding, str):
            data = base64.b64decode(embedding, validate=True)
            return struct.unpack(f"<{len(data) // 4}f", data)
        if isinstance(embedding, list) and embedding:
            return tuple(float(number) for number in embedding)
    except (ValueError, TypeError, struct.error):
        pass
    raise CallFailed(ModelErrorKind.BAD_ANSWER, "an embedding is missing", status=200)
