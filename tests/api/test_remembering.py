"""What is not asked for twice: answers at temperature 0, and how much any memory keeps."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from pydantic import SecretStr

from bot.api.cache import Cache
from bot.api.client import ApiClient
from bot.api.settings import ApiSettings
from bot.core.chat import Sampling, Usage
from bot.core.fakes.clock import ManualClock
from tests.api.asking import ask, ask_badly, is_finished, question, words
from tests.api.conftest import Connect
from tests.api.wire_server import DONE, HELLO, WireServer, stream, text

COLD = question(sampling=Sampling(temperature=0.0))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(server: WireServer, clock: ManualClock) -> AsyncIterator[ApiClient]:
    settings = ApiSettings(
        base_urls=(server.url,), key=SecretStr("k"), retries=0, remember_answers=60
    )
    made = ApiClient(settings, clock=clock, dice=random.Random(1))
    yield made
    await made.close()


async def test_the_same_question_at_temperature_0_is_answered_from_memory(
    client: ApiClient, server: WireServer, clock: ManualClock
) -> None:
    server.always = HELLO
    await ask(client, COLD)
    again = await ask(client, replace(COLD, lane="another:chat"))
    assert words(again) == "Hello"
    assert is_finished(again)
    assert [event for event in again if isinstance(event, Usage)] == [
        Usage(prompt_tokens=0, completion_tokens=0)  # it cost nothing
    ]
    assert len(server.requests) == 1
    await ask(client, replace(COLD, fresh=True))  # somebody wants another answer
    assert len(server.requests) == 2
    await clock.advance(60)
    await ask(client, COLD)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "other",
    [
        question(),
        question(sampling=Sampling(temperature=0.1)),
        question("Bye", sampling=Sampling(temperature=0.0)),
        question(model="n", sampling=Sampling(temperature=0.0)),
        question(sampling=Sampling(temperature=0.0, max_tokens=5)),
    ],
)
async def test_any_difference_is_another_question(
    client: ApiClient, server: WireServer, other: object
) -> None:
    server.always = HELLO
    await ask(client, COLD)
    await ask(client, other)  # type: ignore[arg-type]  # a parameter of the test
    assert len(server.requests) == 2


async def test_a_cut_answer_is_not_remembered(client: ApiClient, server: WireServer) -> None:
    server.answer(*stream(text("Hel"), DONE))
    server.always = HELLO
    await ask_badly(client, COLD)
    assert words(await ask(client, COLD)) == "Hello"


async def test_nothing_is_remembered_unless_the_operator_wants_it(
    connect: Connect, server: WireServer
) -> None:
    client = connect()
    server.always = HELLO
    for _ in range(2):
        await ask(client, COLD)
    assert len(server.requests) == 2


def test_a_memory_keeps_no_more_than_its_size(clock: ManualClock) -> None:
    cache: Cache[str] = Cache(clock, size=10, seconds=60, weigh=len)
    cache.put("a", "xxxx")
    cache.put("b", "xxxx")
    cache.get("a")
    cache.put("c", "xxxx")  # "b" was used longest ago
    assert [cache.get(key) for key in "abc"] == ["xxxx", None, "xxxx"]
    cache.put("a", "xxxxxxxx")
    assert [cache.get(key) for key in "abc"] == ["xxxxxxxx", None, None]
    cache.put("d", "x" * 11)  # larger than the memory
    assert [cache.get(key) for key in "ad"] == [None, None]
