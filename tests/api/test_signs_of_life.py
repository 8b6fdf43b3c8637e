"""What servers send before they know what to say, and how they end who have sent it.

new-api sends `: PING` while it waits for the server behind it (`doRequest` in
relay/channel/api_request.go). Its status is gone by then: an error follows as the bare body that
it would have been (`Relay` in controller/relay.go).
"""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.api.client import ApiClient
from bot.core.chat import Sampling
from bot.errors import ModelErrorKind
from tests.api.asking import ask, ask_badly, is_finished, question, words
from tests.api.conftest import Connect
from tests.api.wire_server import (
    END,
    HELLO,
    Hang,
    Wait,
    WireServer,
    chunk,
    data,
    delta,
    head,
    stream,
    text,
)

Kind = ModelErrorKind
PING = b": PING\n\n"


def error(message: str, *, code: object = None, kind: str = "new_api_error") -> bytes:
    """An error of new-api as it writes it: one line, without an end."""
    told = {"message": f"{message} (request id: 2026)", "type": kind, "param": "", "code": code}
    return json.dumps({"error": told}, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (error("用户额度不足", code="insufficient_user_quota"), Kind.QUOTA),
        (error("Prompt exceeds max length", code="1261"), Kind.CONTEXT_TOO_LONG),
        (error("request blocked", code="prompt_blocked"), Kind.REFUSED),
        (error("n is too big", kind="invalid_request_error"), Kind.BAD_REQUEST),
    ],
)
async def test_an_error_behind_signs_of_life_is_told_and_not_asked_again(
    client: ApiClient, server: WireServer, body: bytes, kind: Kind
) -> None:
    server.always = stream(PING, PING, body)
    _, failure = await ask_badly(client)
    assert (failure.kind, failure.request_id) == (kind, "2026")
    assert len(server.requests) == 1


@pytest.mark.parametrize("protocol", ["completions", "responses"])
async def test_an_error_behind_signs_of_life_is_told_in_every_protocol(
    connect: Connect, server: WireServer, protocol: str
) -> None:
    server.always = stream(PING, error("用户额度不足", code="insufficient_user_quota"))
    _, failure = await ask_badly(connect(models={"m": {"protocol": protocol}}))
    assert failure.kind is Kind.QUOTA
    assert len(server.requests) == 1


async def test_a_passing_error_behind_signs_of_life_is_asked_again(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*stream(PING, error("当前分组上游负载已饱和，请稍后再试")))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"


async def test_a_setting_refused_behind_signs_of_life_is_left_away(
    client: ApiClient, server: WireServer
) -> None:
    refused = error(
        "Unsupported parameter: 'temperature' is not supported with this model.",
        code="unsupported_parameter",
        kind="invalid_request_error",
    )
    server.answer(*stream(PING, refused))
    server.answer(*HELLO)
    assert words(await ask(client, question(sampling=Sampling(temperature=0.5)))) == "Hello"
    assert "temperature" not in server.requests[-1].json


async def test_an_error_behind_words_cuts_the_answer_and_says_why(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*stream(PING, text("Hel"), error("Overloaded", code="overloaded_error")))
    events, failure = await ask_badly(client)
    assert (words(events), failure.kind, failure.detail) == ("Hel", Kind.CUT, "Overloaded")


async def test_a_whole_answer_behind_signs_of_life_is_read(
    client: ApiClient, server: WireServer
) -> None:
    choice = {"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}
    server.answer(*stream(PING, json.dumps({"choices": [choice]}).encode()))
    events = await ask(client)
    assert (words(events), is_finished(events)) == ("Hello", True)


async def test_what_a_model_writes_is_no_error_wherever_the_stream_is_cut(
    client: ApiClient, server: WireServer
) -> None:
    said = text('{"error": {"message": "no"}}')
    at = said.index(b"{\\")
    server.answer(head(), chunk(said[:at]), chunk(said[at:]), *HELLO[1:-1], END)
    assert words(await ask(client)) == '{"error": {"message": "no"}}Hello'


@pytest.mark.parametrize("sign", [PING, delta(role="assistant", content="")])
async def test_who_gives_signs_of_life_is_waited_for_longer_and_paid_once(
    connect: Connect, server: WireServer, backup: WireServer, sign: bytes
) -> None:
    """A reasoning model may think for minutes of which nothing is shown."""
    thought = asyncio.Event()
    server.answer(head(), chunk(sign), Wait(thought), *HELLO[1:])
    backup.always = [Hang()]
    settings = {"first_event_timeout": 1.0, "retries": 0}
    asking = asyncio.create_task(ask(connect(**settings)))
    await server.arrivals.get()
    _, silent = await ask_badly(connect(base_urls=(backup.url,), **settings))
    thought.set()
    assert silent.kind is Kind.TIMEOUT
    assert words(await asking) == "Hello"


async def test_a_response_that_is_in_progress_is_waited_for_longer(
    connect: Connect, server: WireServer, backup: WireServer
) -> None:
    thought = asyncio.Event()
    done = {"status": "completed", "output": [{"type": "message", "content": [{"text": "Hi"}]}]}
    server.answer(
        head(),
        chunk(data({"type": "response.in_progress"})),
        Wait(thought),
        chunk(data({"type": "response.completed", "response": done})),
        END,
    )
    backup.always = [Hang()]
    settings = {"first_event_timeout": 1.0, "retries": 0}
    models = {"m": {"protocol": "responses"}}
    asking = asyncio.create_task(ask(connect(models=models, **settings)))
    await server.arrivals.get()
    await ask_badly(connect(base_urls=(backup.url,), **settings))
    thought.set()
    assert words(await asking) == "Hi"


async def test_signs_of_life_are_not_an_answer(connect: Connect, server: WireServer) -> None:
    server.answer(head(), chunk(PING), Hang())
    client = connect(first_event_timeout=0.2, image_timeout=0.4, retries=0)
    _, failure = await ask_badly(client)
    assert failure.kind is Kind.TIMEOUT
    await server.gone.wait()
