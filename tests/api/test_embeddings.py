"""Embeddings: one call for what fits, any order, both encodings."""

from __future__ import annotations

import base64
import struct

import pytest

from bot.api.client import ApiClient
from bot.errors import ModelError, ModelErrorKind
from tests.api.wire_server import Script, WireServer, json_answer


def answer(*vectors: object, start: int = 0) -> Script:
    items = [{"index": start + n, "embedding": vector} for n, vector in enumerate(vectors)]
    return json_answer({"data": items[::-1]})


async def test_texts_share_a_call_and_keep_their_order(
    client: ApiClient, server: WireServer
) -> None:
    encoded = base64.b64encode(struct.pack("<2f", 0.5, -2.0)).decode()
    server.answer(*answer([1, 2.0], encoded))
    found = await client.embed("e", ["a", "b", "a"])
    assert [list(vector) for vector in found] == [[1.0, 2.0], [0.5, -2.0], [1.0, 2.0]]
    assert [request.json["input"] for request in server.requests] == [["a", "b"]]


async def test_what_is_known_is_not_asked_again(client: ApiClient, server: WireServer) -> None:
    server.answer(*answer([1.0], [2.0]))
    server.answer(*answer([3.0]))
    await client.embed("e", ["a", "b"])
    assert await client.embed("e", ["b", "c"]) == [[2.0], [3.0]]
    assert server.requests[1].json["input"] == ["c"]


async def test_more_than_fits_takes_several_calls(client: ApiClient, server: WireServer) -> None:
    texts = [f"text {n}" for n in range(3_000)]
    server.answer(*answer(*([float(n)] for n in range(2_048))))
    server.answer(*answer(*([float(n)] for n in range(2_048, 3_000)), start=2_048))
    found = await client.embed("e", texts)
    assert [vector[0] for vector in found] == [float(n) for n in range(3_000)]


@pytest.mark.parametrize("body", [{"data": []}, {"data": None}, {"data": [{"index": 0}]}])
async def test_a_missing_embedding_is_an_error(
    client: ApiClient, server: WireServer, body: object
) -> None:
    server.always = json_answer(body)
    with pytest.raises(ModelError) as caught:
        await client.embed("e", ["a"])
    assert caught.value.kind is ModelErrorKind.BAD_ANSWER
