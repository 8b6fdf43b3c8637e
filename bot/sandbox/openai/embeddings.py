"""`/embeddings`: vectors as numbers or as base64 of little-endian 32-bit floats."""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence

from aiohttp import web

from bot.sandbox.openai import refusal
from bot.sandbox.openai.backend import Endpoint, JsonObject
from bot.sandbox.openai.call import Call
from bot.sandbox.openai.catalogue import asked
from bot.sandbox.openai.parameters import empty_array

MAX_INPUTS = 2048
"""Texts per request, as documented."""


async def embeddings(call: Call) -> web.StreamResponse:
    """A vector per text."""
    body, card = asked(call, Endpoint.EMBEDDINGS)
    if not body.has("input"):
        raise refusal.missing("input")
    texts = body.texts("input")
    if not texts:
        raise empty_array("input")
    if "" in texts:
        raise refusal.Refusal(400, "'$.input' is invalid.", param="input")
    if len(texts) > MAX_INPUTS:
        raise refusal.out_of_range("input", len(texts), low=1, high=MAX_INPUTS)
    encoding = body.choice("encoding_format", ("float", "base64"), "float")
    vectors = await call.backend.embed(card.id, texts)
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, encoding)}
        for index, vector in enumerate(vectors)
    ]
    tokens = sum(max(1, len(text) // 4) for text in texts)
    usage: JsonObject = {"prompt_tokens": tokens, "total_tokens": tokens}
    return await call.whole({"object": "list", "data": data, "model": card.id, "usage": usage})


def _encoded(vector: Sequence[float], encoding: str) -> list[float] | str:
    if encoding == "base64":
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    return list(vector)
