"""The list of models, and prices."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from pydantic import SecretStr

from bot.api import catalogue
from bot.api.catalogue import FAILED, FRESH, NEW
from bot.api.client import ApiClient
from bot.api.settings import ApiSettings
from bot.core.fakes.clock import ManualClock
from bot.core.models import ModelInfo, Purpose, UsageEntry, UsageKind
from bot.errors import ModelError, ModelErrorKind
from tests.api.asking import of
from tests.api.conftest import Connect
from tests.api.wire_server import Hang, Wait, WireServer, json_answer, refusal, whole
from tests.loop_time import LoopTime
from tests.patience import PATIENCE

LIST = {"data": [{"id": "zebra", "owned_by": "zoo"}, {"id": "ant"}, {"id": ""}, "?", {"id": "ant"}]}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(server: WireServer, clock: ManualClock) -> AsyncIterator[ApiClient]:
    settings = ApiSettings(base_urls=(server.url,), key=SecretStr("k"), retries=0)
    made = ApiClient(settings, clock=clock, dice=random.Random(1))
    yield made
    await made.close()


async def test_the_list_is_sorted_and_asked_for_once(client: ApiClient, server: WireServer) -> None:
    server.always = json_answer(LIST)
    found = await asyncio.gather(*(client.models() for _ in range(5)))
    assert found[0] == (ModelInfo(id="ant"), ModelInfo(id="zebra", owner="zoo"))
    assert len(server.requests) == 1
    assert (server.requests[0].method, server.requests[0].path) == ("GET", "/v1/models")


async def test_a_list_with_nothing_around_it_is_read(client: ApiClient, server: WireServer) -> None:
    server.always = json_answer([{"id": "zebra"}, {"id": "ant"}])
    assert [model.id for model in await client.models()] == ["ant", "zebra"]


async def test_after_some_minutes_it_is_asked_for_again(
    client: ApiClient, server: WireServer, clock: ManualClock
) -> None:
    server.answer(*json_answer(LIST))
    await client.models()
    await clock.advance(FRESH)
    server.answer(*json_answer({"data": [{"id": "new"}]}))
    assert await client.models() == (ModelInfo(id="new"),)


async def test_who_looks_at_the_list_sees_at_once_what_a_model_is_called_now(
    client: ApiClient, server: WireServer, clock: ManualClock
) -> None:
    server.answer(*json_answer(LIST))
    await client.models()
    await clock.advance(NEW)
    server.answer(*json_answer({"data": [{"id": "ant-2"}]}))
    assert await client.models() == (ModelInfo(id="ant-2"),)
    assert await client.models() == (ModelInfo(id="ant-2"),)
    await clock.advance(NEW)
    server.always = refusal(500)
    assert await client.models() == await client.models() == (ModelInfo(id="ant-2"),)
    assert len(server.requests) == 3


async def test_who_looks_at_the_list_waits_only_a_little_for_a_newer_one(
    client: ApiClient, server: WireServer, clock: ManualClock, time: LoopTime
) -> None:
    server.answer(*json_answer(LIST))
    old = await client.models()
    await server.arrivals.get()
    await clock.advance(NEW)
    server.always = [Hang()]
    looking = asyncio.create_task(client.models())
    await server.arrivals.get()
    time.passes(catalogue.PATIENCE)
    assert await looking == old


async def test_an_old_list_is_better_than_none(
    client: ApiClient, server: WireServer, clock: ManualClock
) -> None:
    server.answer(*json_answer(LIST))
    old = await client.models()
    server.always = refusal(401)
    await clock.advance(FRESH)
    assert await client.models() == old


async def test_no_answer_waits_for_a_newer_list(
    client: ApiClient, server: WireServer, clock: ManualClock
) -> None:
    server.answer(*json_answer({"data": [{"id": "ant", "context_window": 8000}]}))
    assert (await client.about("ant")).context_window == 8000
    await clock.advance(FRESH)
    held = asyncio.Event()
    server.answer(Wait(held), *json_answer({"data": [{"id": "ant", "context_window": 9000}]}))
    async with asyncio.timeout(PATIENCE):
        assert [(await client.about("ant")).context_window for _ in range(3)] == [8000] * 3
    held.set()
    assert (await client.models())[0].context_window == 9000
    assert len(server.requests) == 2


async def test_the_first_answer_does_not_wait_long_for_a_list(
    client: ApiClient, server: WireServer, time: LoopTime
) -> None:
    server.always = [Hang()]
    asking = asyncio.create_task(client.about("ant"))
    await server.arrivals.get()
    time.passes(catalogue.PATIENCE)
    assert await asking == ModelInfo(id="ant")


async def test_a_failure_is_remembered_for_a_while(
    client: ApiClient, server: WireServer, clock: ManualClock
) -> None:
    server.always = refusal(404)
    for _ in range(3):
        with pytest.raises(ModelError, check=of(ModelErrorKind.UNSUPPORTED)):
            await client.models()
    assert len(server.requests) == 1
    await clock.advance(FAILED)
    server.always = json_answer(LIST)
    assert len(await client.models()) == 2


async def test_a_page_for_people_is_no_list(client: ApiClient, server: WireServer) -> None:
    server.always = whole(b"<!doctype html>", content_type="text/html")
    with pytest.raises(ModelError) as caught:
        await client.models()
    assert caught.value.kind is ModelErrorKind.BAD_ANSWER
    assert "/v1" in caught.value.detail


async def test_what_a_server_tells_of_a_model_is_read_and_the_configuration_wins(
    connect: Connect, server: WireServer
) -> None:
    told = {
        "context_length": 8000,
        "pricing": {"prompt": "0.0000025", "completion": "0.00001"},
    }
    known = {"context_window": 9000, "vision": True, "output_price": "12"}
    client = connect(models={"b*": known})
    server.answer(*json_answer({"data": [{"id": "a", **told}, {"id": "b", **told}, {"id": "c"}]}))
    assert await client.models() == (
        ModelInfo(
            id="a", context_window=8000, input_price=Decimal("2.5"), output_price=Decimal(10)
        ),
        ModelInfo(
            id="b",
            context_window=9000,
            vision=True,
            input_price=Decimal("2.5"),
            output_price=Decimal(12),
        ),
        ModelInfo(id="c"),
    )


@pytest.mark.parametrize(
    ("told", "window", "vision", "purpose"),
    [
        ({"max_model_len": 4096, "root": "m"}, 4096, None, None),  # vLLM, SGLang
        ({"meta": {"n_ctx": 8192, "n_ctx_train": 131072}}, 8192, None, None),  # llama.cpp
        (
            {"max_context_length": 32768, "capabilities": {"vision": True}},  # Mistral
            32768,
            True,
            None,
        ),
        ({"supported_endpoint_types": ["openai", "image-generation"]}, None, None, None),
        (
            {"supported_endpoint_types": ["image-generation", "openai"]},  # new-api, as following
            None,
            None,
            Purpose.DRAWING,
        ),
        ({"supported_endpoint_types": ["jina-rerank"]}, None, None, Purpose.OTHER),
        ({"supported_endpoint_types": [{}], "meta": 1, "capabilities": []}, None, None, None),
    ],
)
async def test_what_other_servers_tell_of_a_model_is_read(
    client: ApiClient,
    server: WireServer,
    told: dict[str, object],
    window: int | None,
    vision: bool | None,
    purpose: Purpose | None,
) -> None:
    server.always = json_answer({"data": [{"id": "some-model", **told}]})
    (info,) = await client.models()
    assert (info.context_window, info.vision, info.purpose) == (window, vision, purpose)


async def test_a_server_without_any_model_has_a_list_all_the_same(
    client: ApiClient, server: WireServer
) -> None:
    server.always = json_answer({"object": "list", "data": None})  # Ollama
    assert await client.models() == ()


async def test_a_request_costs_what_its_price_says_and_nothing_is_made_up(
    connect: Connect,
) -> None:
    client = connect(
        models={
            "chat-*": {"input_price": "2.50", "output_price": "10"},
            "paint": {"image_price": "0.04"},
            "ears": {"minute_price": "0.006"},
            "half": {"input_price": "1"},
        }
    )

    def cost(kind: UsageKind, model: str, **fields: object) -> Decimal | None:
        entry = UsageEntry(kind=kind, model=model, **fields)  # type: ignore[arg-type]  # as given
        return client.priced(entry).cost

    tokens = {"prompt_tokens": 1_000, "completion_tokens": 100}
    assert cost(UsageKind.CHAT, "chat-1", **tokens) == Decimal("0.0035")
    assert cost(UsageKind.IMAGE, "paint", images=3) == Decimal("0.12")
    assert cost(UsageKind.AUDIO, "ears", seconds=90.0) == Decimal("0.009")
    assert cost(UsageKind.CHAT, "half", **tokens) is None
    assert cost(UsageKind.EMBEDDING, "half", prompt_tokens=1_000) == Decimal("0.001")
    assert cost(UsageKind.CHAT, "unknown", **tokens) is None
    assert cost(UsageKind.IMAGE, "unknown", images=1) is None
