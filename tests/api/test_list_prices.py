"""Prices and windows that neither the API nor the configuration tells."""

from __future__ import annotations

import socket
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from bot.api.list_prices import ListPrices
from bot.core.models import ModelInfo, UsageEntry, UsageKind
from tests.api.conftest import Connect
from tests.api.wire_server import WireServer, json_answer
from tests.environment import inherited

Counts = dict[str, Any]
LISTED = {"data": [{"id": "gpt-4o-mini", "owned_by": "openai"}, {"id": "our-own"}]}


def spent(model: str, kind: UsageKind = UsageKind.CHAT, **counts: float) -> UsageEntry:
    return UsageEntry(kind=kind, model=model, **counts)  # type: ignore[arg-type]  # counts


async def test_a_vendors_model_has_its_window_and_prices(
    connect: Connect, server: WireServer
) -> None:
    server.always = json_answer(LISTED)
    client = connect()
    mini, own = await client.models()
    assert mini.context_window == 128_000
    assert (mini.input_price, mini.output_price) == (Decimal("0.15"), Decimal("0.6"))
    assert mini.cached_price == Decimal("0.075")
    assert (own.context_window, own.input_price, own.output_price) == (None, None, None)
    assert (await client.about("claude-sonnet-4-5")).context_window == 200_000  # not even listed


async def test_what_a_request_cost_by_the_list(connect: Connect, server: WireServer) -> None:
    server.always = json_answer(LISTED)
    client = connect()
    await client.models()

    def cost(entry: UsageEntry) -> Decimal | None:
        return client.priced(entry).cost

    counts: Counts = {"prompt_tokens": 1000, "completion_tokens": 100}
    assert cost(spent("gpt-4o-mini", **counts)) == Decimal("0.00021")
    assert cost(spent("gpt-4o-mini", cached_tokens=500, **counts)) == Decimal("0.0001725")
    assert cost(spent("gpt-4o-mini", cached_tokens=9999, **counts)) == Decimal("0.00021")
    long: Counts = {"prompt_tokens": 300_000, "completion_tokens": 1000}  # a dearer tier
    assert cost(spent("gemini-2.5-pro", **long)) == Decimal("0.765")
    assert cost(spent("text-embedding-3-small", prompt_tokens=1_000_000)) == Decimal("0.02")
    picture = spent("gpt-image-1", UsageKind.IMAGE, images=1, media_tokens=500, **counts)
    assert cost(picture) == Decimal("0.0115")
    assert cost(spent("gpt-4o-transcribe", UsageKind.AUDIO, media_tokens=900, **counts)) == Decimal(
        "0.00665"
    )


@pytest.mark.parametrize(
    "entry",
    [
        spent("our-own", prompt_tokens=10, completion_tokens=10),
        spent("our-own", UsageKind.IMAGE, images=1),
        spent("gpt-image-1", UsageKind.IMAGE, images=1),  # the API told no tokens
        spent("gpt-4o-transcribe", UsageKind.AUDIO, seconds=60.0),
        spent("moderation", prompt_tokens=10),  # priced nothing in the list
        spent("text-embedding-3-small", completion_tokens=10),
    ],
)
async def test_unknown_stays_unknown_and_is_never_zero(
    connect: Connect, server: WireServer, entry: UsageEntry
) -> None:
    server.always = json_answer(LISTED)
    client = connect()
    await client.models()
    assert client.priced(entry).cost is None


async def test_the_api_and_the_configuration_win_over_the_list(
    connect: Connect, server: WireServer
) -> None:
    told = {"id": "gpt-4o", "pricing": {"prompt": "0.000001", "completion": "0.000002"}}
    server.always = json_answer({"data": [{"id": "gpt-4o-mini"}, told]})
    client = connect(models={"*-mini": {"input_price": "1", "output_price": "3"}})
    await client.models()
    counts: Counts = {"prompt_tokens": 1_000_000, "completion_tokens": 1_000_000}
    assert client.priced(spent("gpt-4o-mini", **counts)).cost == 4
    assert client.priced(spent("gpt-4o", **counts)).cost == 3


async def test_who_answers_at_the_base_url_has_prices_of_its_own() -> None:
    qwen = ModelInfo(id="qwen/qwen3-32b")
    groq = ListPrices(["https://api.groq.com/openai/v1"], on=True)
    await groq.load([qwen])
    assert groq.complete(qwen).input_price is not None
    elsewhere = ListPrices(["https://api.apiyi.com/v1"], on=True)
    await elsewhere.load([qwen])
    assert elsewhere.complete(qwen).input_price is None  # what a reseller takes says nothing
    assert elsewhere.complete(qwen).context_window is not None


async def test_the_list_can_be_switched_off(connect: Connect, server: WireServer) -> None:
    server.always = json_answer(LISTED)
    client = connect(list_prices=False)
    (info, _) = await client.models()
    assert (info.input_price, info.context_window) == (None, None)
    assert client.priced(spent("gpt-4o-mini", prompt_tokens=10)).cost is None


async def test_the_list_asks_no_network(
    connect: Connect, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.always = json_answer(LISTED)
    client = connect()
    asked: list[object] = []
    real = socket.getaddrinfo

    def look_up(host: object, *rest: object, **more: object) -> object:
        asked.append(host)
        return real(host, *rest, **more)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    await client.models()
    await client.about("claude-sonnet-4-5")
    assert set(asked) <= {"127.0.0.1", b"127.0.0.1"}
    assert len(server.requests) == 1


def test_the_list_is_read_without_an_http_client_that_nobody_needs() -> None:
    """It would cost a busy bot 1.2 MB, of a hundred."""
    program = (
        "import asyncio, sys; from bot.api.list_prices import ListPrices; "
        "asyncio.run(ListPrices([], on=True).load([])); "
        "import genai_prices; print('httpx2' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=inherited()
    )
    assert run.stdout == "False\n"
