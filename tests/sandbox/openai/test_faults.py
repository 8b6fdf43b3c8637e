"""What can go wrong on the wire, seen with a plain HTTP client."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from bot.sandbox.openai import ScriptedApi, serve_scripted
from bot.sandbox.openai.faults import (
    Cut,
    Drop,
    ErrorEvent,
    Fault,
    Hang,
    NoDone,
    Refuse,
    Stall,
    Truncate,
    html_page,
    out_of_quota,
)
from tests.patience import PATIENCE

CHAT = "/chat/completions"


def ask(*, stream: bool) -> dict[str, Any]:
    return {
        "model": "gpt-4o",
        "stream": stream,
        "messages": [{"role": "user", "content": "Hello"}],
    }


async def read(http: httpx.AsyncClient) -> list[str]:
    """The data lines of a streamed answer, as far as they came."""
    lines: list[str] = []
    async with http.stream("POST", CHAT, json=ask(stream=True)) as answer:
        async for line in answer.aiter_lines():
            lines += [line[6:]] if line.startswith("data: ") else []
    return lines


async def test_a_healthy_stream_ends_with_done(http: httpx.AsyncClient) -> None:
    lines = await read(http)
    assert lines[-1] == "[DONE]"
    assert json.loads(lines[-2])["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
async def test_a_refusal_has_its_status_and_a_documented_body(
    api: ScriptedApi, http: httpx.AsyncClient, status: int
) -> None:
    api.faults.add(Refuse(status))
    answer = await http.post(CHAT, json=ask(stream=True))
    assert answer.status_code == status
    assert answer.json()["error"]["code"]


async def test_a_rate_limit_says_when_to_come_back(
    api: ScriptedApi, http: httpx.AsyncClient
) -> None:
    api.faults.add(Refuse(429, retry_after=3, headers=(("retry-after-ms", "2500"),)))
    answer = await http.get("/models")
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["retry-after-ms"] == "2500"


async def test_a_used_up_balance_is_told_apart_from_a_rate_limit(
    api: ScriptedApi, http: httpx.AsyncClient
) -> None:
    api.faults.add(out_of_quota())
    answer = await http.post(CHAT, json=ask(stream=False))
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "insufficient_quota")


async def test_a_page_for_people_comes_under_200(api: ScriptedApi, http: httpx.AsyncClient) -> None:
    api.faults.add(html_page())
    answer = await http.post(CHAT, json=ask(stream=True))
    assert answer.status_code == 200
    assert answer.text.startswith("<!doctype html>")


@pytest.mark.parametrize("fault", [Hang(), Stall(after=0), Stall(after=3)])
async def test_silence_lasts_until_the_client_goes_away(
    api: ScriptedApi, http: httpx.AsyncClient, fault: Fault
) -> None:
    api.faults.add(fault)
    with pytest.raises(httpx.ReadTimeout):
        patience = httpx.Timeout(PATIENCE, read=0.5)
        async with http.stream("POST", CHAT, json=ask(stream=True), timeout=patience) as answer:
            async for _ in answer.aiter_lines():
                pass
    await api.traffic.until(lambda seen: seen.abandoned == 1)
    assert api.traffic.requests[0].events == (fault.after if isinstance(fault, Stall) else 0)


async def test_a_short_stall_is_made_up_for(api: ScriptedApi, http: httpx.AsyncClient) -> None:
    api.faults.add(Stall(after=2, seconds=0.01))
    assert (await read(http))[-1] == "[DONE]"


async def test_an_answer_is_held_until_it_is_let_go(
    api: ScriptedApi, http: httpx.AsyncClient
) -> None:
    with api.held(after=3):
        reading = asyncio.create_task(read(http))
        await api.traffic.until(lambda seen: sum(each.events for each in seen.requests) == 3)
        assert not reading.done()
    assert (await reading)[-1] == "[DONE]"


@pytest.mark.parametrize("fault", [Drop(), Cut(after=0), Cut(after=3)])
async def test_a_broken_connection_is_an_error_to_the_client(
    api: ScriptedApi, http: httpx.AsyncClient, fault: Fault
) -> None:
    api.faults.add(fault)
    with pytest.raises(httpx.RemoteProtocolError):
        await read(http)
    await api.traffic.until(lambda seen: seen.in_flight == 0)
    assert api.traffic.abandoned == 0  # it was the server's doing


async def test_a_whole_answer_breaks_in_its_middle(
    api: ScriptedApi, http: httpx.AsyncClient
) -> None:
    api.faults.add(Cut())
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post(CHAT, json=ask(stream=False))


async def test_a_truncated_stream_ends_in_good_order_without_its_end(
    api: ScriptedApi, http: httpx.AsyncClient
) -> None:
    api.faults.add(Truncate(after=3))
    lines = await read(http)
    assert len(lines) == 3
    assert all(json.loads(line)["choices"][0]["finish_reason"] is None for line in lines)


async def test_done_can_be_left_away(api: ScriptedApi, http: httpx.AsyncClient) -> None:
    api.faults.add(NoDone())
    assert json.loads((await read(http))[-1])["choices"][0]["finish_reason"] == "stop"


async def test_an_error_can_come_as_an_event_or_under_200(
    api: ScriptedApi, http: httpx.AsyncClient
) -> None:
    api.faults.add(ErrorEvent(after=2, message="Overloaded."), times=2)
    lines = await read(http)
    assert json.loads(lines[-1])["error"]["message"] == "Overloaded."
    assert len(lines) == 3
    answer = await http.post(CHAT, json=ask(stream=False))
    assert (answer.status_code, list(answer.json())) == (200, ["error"])


async def test_faults_strike_their_endpoint_as_often_as_told(
    api: ScriptedApi, http: httpx.AsyncClient
) -> None:
    api.faults.add(Refuse(500), on=CHAT, times=2)
    assert (await http.get("/models")).status_code == 200
    statuses = [(await http.post(CHAT, json=ask(stream=False))).status_code for _ in range(3)]
    assert statuses == [500, 500, 200]
    api.faults.add(Refuse(503), times=None)
    assert [(await http.get("/models")).status_code for _ in range(2)] == [503, 503]
    api.faults.clear()
    assert (await http.get("/models")).status_code == 200


async def test_the_traffic_shows_what_was_asked_but_no_key(
    api: ScriptedApi, http: httpx.AsyncClient
) -> None:
    await http.post(CHAT, json=ask(stream=False))
    seen = api.traffic.to(CHAT)[0]
    assert seen.json["messages"] == [{"role": "user", "content": "Hello"}]
    assert (seen.status, api.traffic.abandoned) == (200, 0)
    assert "authorization" not in seen.headers


async def test_a_server_that_goes_down_cuts_its_answers_and_can_come_back_at_its_port() -> None:
    async with httpx.AsyncClient(timeout=PATIENCE) as client, AsyncExitStack() as down:
        first = await down.enter_async_context(serve_scripted())
        first.script.pace = 60
        async with client.stream("POST", first.url + CHAT, json=ask(stream=True)) as answer:
            await first.traffic.until(lambda seen: seen.requests[0].events == 2)
            await down.aclose()
            with pytest.raises(httpx.RemoteProtocolError):
                await answer.aread()
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{first.url}/models")
        async with serve_scripted(port=httpx.URL(first.url).port or 0) as second:
            assert second.url == first.url
            assert (await client.get(f"{second.url}/models")).status_code == 200
