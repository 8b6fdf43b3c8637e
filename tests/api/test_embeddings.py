"""Embeddings: one call for what fits, any order, both encodings."""

from __future__ import annotations

import base64
import struct
from decimal import Decimal

import pytest

from bot.api.client import ApiClient
from bot.core.models import UsageKind
from bot.errors import ModelError, ModelErrorKind
from tests.api.asking import of
from tests.api.conftest import Connect
from tests.api.wire_server import Script, WireServer, json_answer, refusal


def answer(*vectors: object, start: int = 0, usage: object = None) -> Script:
    items = [{"index": start + n, "embedding": vector} for n, vector in enumerate(vectors)]
    return json_answer({"data": items[::-1], "usage": usage})


async def test_texts_share_a_call_and_keep_their_order(
    client: ApiClient, server: WireServer
) -> None:
    encoded = base64.b64encode(struct.pack("<2f", 0.5, -2.0)).decode()
    server.answer(*answer([1, 2.0], encoded))
    found = await client.embed("e", ("a", "b", "a"))
    assert found.vectors == ((1.0, 2.0), (0.5, -2.0), (1.0, 2.0))
    assert [request.json["input"] for request in server.requests] == [["a", "b"]]


async def test_what_is_known_is_not_asked_again(client: ApiClient, server: WireServer) -> None:
    server.answer(*answer([1.0], [2.0]))
    server.answer(*answer([3.0]))
    await client.embed("e", ("a", "b"))
    assert (await client.embed("e", ("b", "c"))).vectors == ((2.0,), (3.0,))
    assert server.requests[1].json["input"] == ["c"]
    assert (await client.embed("e", ("a",))).usage == ()


@pytest.mark.parametrize(
    "message",
    [
        "batch size is invalid, it should not be larger than 2.",  # DashScope
        "input batch size 5 > maximum allowed batch size 2",  # SiliconFlow
    ],
)
async def test_a_server_that_takes_fewer_at_once_tells_how_many(
    client: ApiClient, server: WireServer, message: str
) -> None:
    server.answer(*refusal(400, message, code="InvalidParameter"))
    server.answer(*answer([1.0], [2.0]))
    server.answer(*answer([3.0], [4.0]))
    server.answer(*answer([5.0]))
    found = await client.embed("e", "abcde")
    assert [vector[0] for vector in found.vectors] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert [len(request.json["input"]) for request in server.requests] == [5, 2, 2, 1]
    assert len(found.usage) == 3


async def test_a_server_that_knows_no_base64_is_asked_for_numbers(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*refusal(400, "Unknown parameter: 'encoding_format'."))
    server.always = answer([1.0])
    for text in "ab":
        await client.embed("e", (text,))
    assert ["encoding_format" in request.json for request in server.requests] == [
        True,
        False,
        False,
    ]


async def test_what_it_cost_is_told(connect: Connect, server: WireServer) -> None:
    client = connect(models={"e": {"input_price": "2"}})
    server.answer(*answer([1.0], usage={"prompt_tokens": 500_000, "total_tokens": 500_000}))
    server.answer(*answer([1.0]))
    (entry,) = (await client.embed("e", ("a",))).usage
    assert (entry.kind, entry.prompt_tokens, entry.cost) == (
        UsageKind.EMBEDDING,
        500_000,
        Decimal(1),
    )
    assert not entry.estimated
    assert entry.latency is not None
    (entry,) = (await client.embed("e", ("some words",))).usage
    assert (entry.prompt_tokens, entry.estimated) == (3, True)


async def test_more_than_fits_takes_several_calls(client: ApiClient, server: WireServer) -> None:
    texts = [f"text {n}" for n in range(3_000)]
    server.answer(*answer(*([float(n)] for n in range(2_048))))
    server.answer(*answer(*([float(n)] for n in range(2_048, 3_000)), start=2_048))
    found = await client.embed("e", texts)
    assert [vector[0] for vector in found.vectors] == [float(n) for n in range(3_000)]


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": None},
        {"data": [{"index": 0}]},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": "no base64"}]},
        {"data": [{"index": 0, "embedding": [None]}]},
    ],
)
async def test_a_missing_embedding_is_an_error(
    client: ApiClient, server: WireServer, body: object
) -> None:
    server.always = json_answer(body)
    with pytest.raises(ModelError, check=of(ModelErrorKind.BAD_ANSWER)):
        await client.embed("e", ("a",))
