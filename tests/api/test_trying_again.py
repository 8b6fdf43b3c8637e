"""Retries, fail-over and the circuit breaker, over real sockets."""

from __future__ import annotations

import asyncio
import logging
import random

import pytest
from pydantic import SecretStr

from bot.api.client import ApiClient
from bot.api.endpoints import FAILURES, FIRST_REST, Endpoints
from bot.api.failures.retry import backoff
from bot.api.settings import ApiSettings
from bot.core.fakes.clock import ManualClock
from bot.errors import ModelErrorKind
from tests.api.asking import ask, ask_badly, question, words
from tests.api.conftest import Connect, EagerClock
from tests.api.wire_server import (
    HELLO,
    Hang,
    Reset,
    Wait,
    WireServer,
    head,
    json_answer,
    refusal,
    stream,
    text,
)
from tests.loop_time import LoopTime

Kind = ModelErrorKind
NOWHERE = "http://127.0.0.1:1/v1"


async def test_a_refused_connection_moves_on_at_once(
    connect: Connect, server: WireServer, clock: EagerClock
) -> None:
    server.always = HELLO
    assert words(await ask(connect(base_urls=(NOWHERE, server.url)))) == "Hello"
    assert clock.slept == []


async def test_an_unknown_host_moves_on(connect: Connect, server: WireServer) -> None:
    server.always = HELLO
    client = connect(base_urls=("https://nowhere.invalid/v1", server.url))
    assert words(await ask(client)) == "Hello"


async def test_nothing_reachable_is_said_so(connect: Connect) -> None:
    _, error = await ask_badly(connect(base_urls=(NOWHERE,)))
    assert error.kind is Kind.UNREACHABLE
    assert "refused" in error.detail


async def test_a_server_fault_gets_a_second_try_before_the_backup(
    connect: Connect, server: WireServer, backup: WireServer
) -> None:
    server.always = refusal(500)
    backup.always = HELLO
    client = connect(base_urls=(server.url, backup.url))
    assert words(await ask(client)) == "Hello"
    assert (len(server.requests), len(backup.requests)) == (2, 1)


async def test_a_lost_connection_before_the_first_event_moves_on_unseen(
    connect: Connect, server: WireServer, backup: WireServer
) -> None:
    server.answer(head(), Reset())
    backup.always = HELLO
    assert words(await ask(connect(base_urls=(server.url, backup.url)))) == "Hello"


async def test_nothing_is_tried_again_once_there_was_text(
    connect: Connect, server: WireServer, backup: WireServer
) -> None:
    server.answer(*stream(text("Hel")))
    _, error = await ask_badly(connect(base_urls=(server.url, backup.url)))
    assert error.kind is Kind.CUT
    assert (len(server.requests), len(backup.requests)) == (1, 0)


async def test_a_wrong_request_is_not_tried_elsewhere(
    connect: Connect, server: WireServer, backup: WireServer
) -> None:
    server.always = refusal(400)
    await ask_badly(connect(base_urls=(server.url, backup.url)))
    assert (len(server.requests), len(backup.requests)) == (1, 0)


async def test_retries_are_bounded(connect: Connect, server: WireServer) -> None:
    server.always = refusal(500)
    _, error = await ask_badly(connect(retries=2))
    assert error.kind is Kind.SERVER
    assert len(server.requests) == 3


async def test_what_took_too_long_is_asked_for_once_more_and_elsewhere(
    connect: Connect, server: WireServer, backup: WireServer, time: LoopTime
) -> None:
    """Each try may be billed."""
    server.always = backup.always = [Hang()]
    client = connect(base_urls=(server.url, backup.url), first_event_timeout=15, retries=9)
    asking = asyncio.create_task(ask_badly(client))
    for asked in (server, backup):
        await asked.arrivals.get()
        time.passes(15)
    _, error = await asking
    assert error.kind is Kind.TIMEOUT
    assert (len(server.requests), len(backup.requests)) == (1, 1)


LOADING = json_answer(
    {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, 503
)
"""What llama.cpp says until it is ready."""


async def test_a_server_that_loads_its_model_is_asked_until_it_has(
    connect: Connect, server: WireServer, clock: EagerClock
) -> None:
    client = connect(retry_seconds=60)
    for _ in range(9):
        server.answer(*LOADING)
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"
    assert 45 < sum(clock.slept) < 60


async def test_a_server_that_loads_its_model_for_ever_is_not_waited_for(
    connect: Connect, server: WireServer, clock: EagerClock
) -> None:
    server.always = LOADING
    _, error = await ask_badly(connect(retry_seconds=60))
    assert error.kind is Kind.SERVER
    assert sum(clock.slept) <= 60


async def test_a_server_that_could_not_load_its_model_is_not_asked_for_minutes(
    client: ApiClient, server: WireServer
) -> None:
    """Each try makes Ollama load it once more."""
    told = "llama runner process has terminated: error loading model: unable to allocate buffer"
    error = {"message": told, "type": "api_error", "param": None, "code": None}
    server.always = json_answer({"error": error}, 500)
    _, failure = await ask_badly(client)
    assert failure.kind is Kind.SERVER
    assert len(server.requests) == 4


async def test_while_a_model_is_loaded_the_backup_is_asked(
    connect: Connect, server: WireServer, backup: WireServer
) -> None:
    server.always, backup.always = LOADING, HELLO
    assert words(await ask(connect(base_urls=(server.url, backup.url)))) == "Hello"
    assert len(server.requests) == 2


async def test_waiting_between_tries_is_bounded(connect: Connect, server: WireServer) -> None:
    server.always = refusal(503, retry_after="40")
    await ask_badly(connect(retries=9))
    assert len(server.requests) == 3  # 40 s and 40 s; a third time would pass 120 s


async def test_each_retry_is_logged_with_its_request_id(
    client: ApiClient, server: WireServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot.api")
    server.answer(*refusal(500, "secret words", x_request_id="req_7"))
    server.always = HELLO
    await ask(client, question("my words", lane="telegram:5"))
    (record,) = (r.__dict__ for r in caplog.records if r.message == "call is tried again")
    assert (record["request_id"], record["lane"]) == ("req_7", "telegram:5")
    assert "words" not in str(record)
    assert "k-123" not in str(record)


async def test_an_endpoint_that_keeps_failing_is_left_alone_and_comes_back(
    server: WireServer, backup: WireServer
) -> None:
    clock = ManualClock()
    settings = ApiSettings(
        base_urls=(server.url, backup.url), key=SecretStr("k"), retries=1, retry_seconds=0
    )
    client = ApiClient(settings, clock=clock, dice=random.Random(1))
    server.always = [Reset()]
    backup.always = HELLO
    try:
        for _ in range(FAILURES):
            await ask_badly(client)
        seen = len(server.requests)
        assert words(await ask(client)) == "Hello"
        assert len(server.requests) == seen  # the primary is not even asked
        server.always = HELLO
        await clock.advance(FIRST_REST)
        await ask(client)
        await ask(client)
        assert len(server.requests) == seen + 2
    finally:
        await client.close()


async def test_only_one_request_probes_an_endpoint_that_rests() -> None:
    clock = ManualClock()
    endpoints = Endpoints(("a", "b"), clock)
    primary = endpoints.choose()
    for _ in range(FAILURES):
        endpoints.failed(primary)
    assert endpoints.choose().url == "b"
    await clock.advance(FIRST_REST)
    assert [endpoints.choose().url for _ in range(3)] == ["a", "b", "b"]
    endpoints.failed(primary)  # the probe: it rests for longer
    await clock.advance(FIRST_REST)
    assert endpoints.choose().url == "b"
    await clock.advance(FIRST_REST)
    assert endpoints.choose().url == "a"
    endpoints.succeeded(primary)
    assert [endpoints.choose().url for _ in range(2)] == ["a", "a"]


async def test_requests_that_fail_together_leave_an_endpoint_alone_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = ManualClock()
    endpoints = Endpoints(("a", "b"), clock)
    primary = endpoints.choose()
    for _ in range(10 * FAILURES):
        endpoints.failed(primary, "no")
    assert [each.__dict__["why"] for each in caplog.records] == ["no"]
    await clock.advance(FIRST_REST)
    assert endpoints.choose() is primary


async def test_what_is_told_of_a_model_is_told_of_the_endpoint_that_is_asked_next() -> None:
    clock = ManualClock()
    endpoints = Endpoints(("a", "b"), clock)
    primary = endpoints.choose()
    assert endpoints.likely() == "a"
    endpoints.failed(primary)
    assert endpoints.likely() == "b"  # who asks the first one in vain goes on there
    for _ in range(FAILURES - 1):
        endpoints.failed(primary)
    await clock.advance(FIRST_REST)
    assert endpoints.likely() == "a"
    assert endpoints.choose() is primary
    endpoints.failed(primary)
    other = endpoints.choose()
    for _ in range(FAILURES):
        endpoints.failed(other)
    assert endpoints.likely() == endpoints.choose().url == "b"  # which is back first


async def test_with_a_single_endpoint_the_breaker_never_stands_in_the_way(
    client: ApiClient, server: WireServer
) -> None:
    server.always = refusal(500)
    for _ in range(FAILURES):
        await ask_badly(client)
    server.always = HELLO
    assert words(await ask(client)) == "Hello"


def test_pauses_grow_and_are_spread() -> None:
    for seed in range(50):
        dice = random.Random(seed)
        pauses = [backoff(attempt, None, dice) for attempt in range(1, 9)]
        ceilings = [0.5, 1, 2, 4, 8, 16, 20, 20]
        assert all(0 <= pause <= most for pause, most in zip(pauses, ceilings, strict=True))
    early, late = (
        sum(backoff(attempt, None, random.Random(seed)) for seed in range(50)) for attempt in (1, 4)
    )
    assert late > 4 * early
    assert len({backoff(1, None, random.Random(seed)) for seed in range(50)}) == 50
    assert all(2 < backoff(1, 2.0, random.Random(seed)) < 2.5 for seed in range(50))


async def test_after_too_many_requests_fewer_go_out_at_once_and_one_more_with_each_success(
    connect: Connect, server: WireServer
) -> None:
    client, held = connect(max_in_flight=8), asyncio.Event()
    server.answer(*refusal(429))
    server.answer(*HELLO)
    await ask(client)
    server.always = [Wait(held), *HELLO]
    asking = [asyncio.create_task(ask(client)) for _ in range(8)]
    for _ in range(4):
        await server.arrivals.get()
    assert client.in_flight == 2
    held.set()
    assert [words(events) for events in await asyncio.gather(*asking)] == ["Hello"] * 8


@pytest.mark.parametrize(
    "message",
    [
        "当前分组上游负载已饱和，请稍后再试 (request id: 2026)",
        "Current group's upstream is saturated, please try again later",
        "x/y is temporarily rate-limited upstream. Please retry shortly.",
        "该模型当前访问量过大，请您稍后再试",
        "The engine is currently overloaded, please try again later",
    ],
)
async def test_a_model_whose_own_server_is_full_slows_down_no_other(
    connect: Connect, server: WireServer, message: str
) -> None:
    client, held = connect(max_in_flight=8, retries=0), asyncio.Event()
    server.answer(*refusal(429, message))
    assert (await ask_badly(client))[1].kind is Kind.RATE_LIMITED
    server.always = [Wait(held), *HELLO]
    asking = [asyncio.create_task(ask(client)) for _ in range(8)]
    for _ in range(9):
        await server.arrivals.get()
    held.set()
    assert [words(events) for events in await asyncio.gather(*asking)] == ["Hello"] * 8


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("seconds", ["60", "3600"])
async def test_a_server_that_asks_to_wait_for_long_is_left_for_the_backup_at_once(
    connect: Connect,
    server: WireServer,
    backup: WireServer,
    clock: EagerClock,
    status: int,
    seconds: str,
) -> None:
    server.always, backup.always = refusal(status, retry_after=seconds), HELLO
    assert words(await ask(connect(base_urls=(server.url, backup.url)))) == "Hello"
    assert (len(server.requests), len(backup.requests)) == (1, 1)
    assert sum(clock.slept) < 1


@pytest.mark.parametrize("status", [429, 503])
async def test_what_every_server_asks_to_wait_is_waited(
    connect: Connect, server: WireServer, backup: WireServer, clock: EagerClock, status: int
) -> None:
    for asked in (server, backup):
        asked.answer(*refusal(status, retry_after="60"))
        asked.always = HELLO
    assert words(await ask(connect(base_urls=(server.url, backup.url)))) == "Hello"
    assert 60 < sum(clock.slept) < 62


async def test_a_moment_that_a_server_asks_to_wait_is_waited(
    connect: Connect, server: WireServer, backup: WireServer, clock: EagerClock
) -> None:
    server.answer(*refusal(429, retry_after="2"))
    server.always = backup.always = HELLO
    assert words(await ask(connect(base_urls=(server.url, backup.url)))) == "Hello"
    assert sum(clock.slept) > 2 and not backup.requests
