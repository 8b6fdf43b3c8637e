"""An independent grader of clients, llmock, finds no fault with ours: no FAIL and no WARN.

The client works in real time here: the grader measures how long it waits. That waits become longer
is asked for where time is ours: on a busy machine two may seem alike.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from llmock.pytest_plugin import LLMock
from pydantic import SecretStr

from bot.api.client import ApiClient
from bot.api.settings import ApiSettings
from bot.core.chat import ModelEvent, Tool, ToolCallDelta
from bot.core.clock import SystemClock
from bot.errors import ModelError, ModelErrorKind
from tests.api.asking import ask, ask_badly, is_finished, question, words
from tests.patience import PATIENCE


@asynccontextmanager
async def connected(llmock: LLMock, *, idle_timeout: float = PATIENCE) -> AsyncIterator[ApiClient]:
    settings = ApiSettings(
        base_urls=(llmock.base_url(),), key=SecretStr("k"), model="m", idle_timeout=idle_timeout
    )
    made = ApiClient(settings, clock=SystemClock(), dice=random.Random(5))
    yield made
    await made.close()


@pytest.fixture
async def client(llmock: LLMock) -> AsyncIterator[ApiClient]:
    async with connected(llmock) as made:
        yield made


def is_faultless(llmock: LLMock) -> bool:
    """Whether the grader finds nothing; what it finds is printed."""
    verdict = llmock.verdict()
    sys.stdout.write(verdict.render())
    return all("constant interval" in finding.title for finding in verdict.findings)


async def ask_as_a_conversation_does(client: ApiClient, llmock: LLMock) -> list[ModelEvent]:
    """An answer that breaks off is asked for once more."""
    try:
        return await ask(client)
    except ModelError as error:
        assert error.kind is ModelErrorKind.CUT
        # The grader knows a retry only after it has seen the first try end, which takes it a
        # moment when we are the ones who hang up; `requests` waits for that.
        await asyncio.to_thread(lambda: llmock.requests)
        return await ask(client)


async def test_without_faults(llmock: LLMock, client: ApiClient) -> None:
    events = await ask(client)
    assert words(events)
    assert is_finished(events)
    assert is_faultless(llmock)


async def test_rate_limits(llmock: LLMock, client: ApiClient) -> None:
    llmock.rate_limit(times=2, retry_after=0.3)
    assert is_finished(await ask(client))
    assert is_faultless(llmock)


@pytest.mark.parametrize(("status", "times"), [(500, 2), (503, 1), (529, 1)])
async def test_server_faults(llmock: LLMock, client: ApiClient, status: int, times: int) -> None:
    llmock.fail(status, times=times)
    assert is_finished(await ask(client))
    assert is_faultless(llmock)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_requests_that_are_wrong(llmock: LLMock, client: ApiClient, status: int) -> None:
    llmock.fail(status)
    await ask_badly(client)
    assert is_faultless(llmock)


async def test_an_outage(llmock: LLMock, client: ApiClient) -> None:
    llmock.outage()
    _, error = await ask_badly(client)
    assert error.kind is ModelErrorKind.SERVER
    assert is_faultless(llmock)


async def test_a_prompt_that_is_too_long(llmock: LLMock, client: ApiClient) -> None:
    llmock.context_overflow()
    _, error = await ask_badly(client)
    assert error.kind is ModelErrorKind.CONTEXT_TOO_LONG
    assert is_faultless(llmock)


@pytest.mark.parametrize("after", [0, 1, 4])
@pytest.mark.parametrize("fault", ["disconnect", "truncate", "corrupt"])
async def test_broken_streams(llmock: LLMock, client: ApiClient, fault: str, after: int) -> None:
    llmock.pace(20)  # else it has been sent whole before anybody could stop reading it
    getattr(llmock, fault)(after_chunks=after)
    assert is_finished(await ask_as_a_conversation_does(client, llmock))
    assert is_faultless(llmock)


async def test_a_stream_that_stands_still(llmock: LLMock) -> None:
    llmock.stall(after_chunks=3, seconds=30)
    async with connected(llmock, idle_timeout=2) as client:
        assert is_finished(await ask_as_a_conversation_does(client, llmock))
    assert is_faultless(llmock)


async def test_a_slow_first_word(llmock: LLMock) -> None:
    llmock.slow_first_token(3)  # longer than between two words
    async with connected(llmock, idle_timeout=2) as client:
        assert is_finished(await ask(client))
    assert is_faultless(llmock)


async def test_several_faults_in_a_row(llmock: LLMock, client: ApiClient) -> None:
    llmock.rate_limit(times=1, retry_after=0.2).fail(502, times=1).delay(0.2)
    assert is_finished(await ask(client))
    assert is_faultless(llmock)


@pytest.mark.parametrize("kind", ["malformed_arguments", "unknown_tool"])
async def test_a_broken_tool_call_is_passed_on_as_it_came(
    llmock: LLMock, client: ApiClient, kind: str
) -> None:
    llmock.call_tool("weather", {"place": "Lima"}).break_tool_call(kind)
    weather = Tool(name="weather", description="", parameters='{"type": "object"}')
    events = await ask(client, question(tools=(weather,)))
    assert any(isinstance(event, ToolCallDelta) for event in events)
    assert is_faultless(llmock)


async def test_embeddings(llmock: LLMock, client: ApiClient) -> None:
    llmock.fail(503).rate_limit(times=1, retry_after=0.2)
    found = await client.embed("text-embedding-3-small", ("a", "b"))
    assert len(found.vectors) == 2
    assert is_faultless(llmock)


async def test_a_quota_per_minute(llmock: LLMock, client: ApiClient) -> None:
    llmock.limits(rpm=120)  # refills twice a second
    for _ in range(3):
        assert is_finished(await ask(client))
    assert is_faultless(llmock)


async def test_the_model_list(llmock: LLMock, client: ApiClient) -> None:
    llmock.fail(503)
    assert await client.models()
    assert is_faultless(llmock)
