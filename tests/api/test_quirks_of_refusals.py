"""Quirks 14 to 18: parameters, error shapes, statuses, waiting, and the Responses protocol."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from bot.api.client import ApiClient
from bot.api.failures.retry import retry_after
from bot.core.chat import Finished, FinishReason, Sampling, ToolCallDelta, Usage
from bot.errors import ModelErrorKind
from tests.api.asking import ask, ask_badly, question, thoughts, words
from tests.api.conftest import Connect, EagerClock
from tests.api.wire_server import (
    DONE,
    HELLO,
    WireServer,
    data,
    json_answer,
    refusal,
    stream,
    whole,
)

Kind = ModelErrorKind

OLD_LIMIT = (
    "Unsupported parameter: 'max_tokens' is not supported with this model. "
    "Use 'max_completion_tokens' instead."
)
WARM = "Unsupported value: 'temperature' does not support 0.2 with this model."


async def test_quirk_14_refused_parameters_are_adapted_once_and_remembered(
    client: ApiClient, server: WireServer
) -> None:
    asked = question(sampling=Sampling(temperature=0.2, max_tokens=50))
    server.answer(*refusal(400, OLD_LIMIT, code="unsupported_parameter", param="max_tokens"))
    server.answer(*refusal(400, WARM, code="unsupported_value", param="temperature"))
    server.always = HELLO
    assert words(await ask(client, asked)) == "Hello"
    await ask(client, asked)
    first, second, third, fourth = (request.json for request in server.requests)
    assert (first["max_tokens"], first["temperature"]) == (50, 0.2)
    assert (second["max_completion_tokens"], second["temperature"]) == (50, 0.2)
    for adapted in (third, fourth):
        assert adapted["max_completion_tokens"] == 50
        assert not {"max_tokens", "temperature"} & adapted.keys()


async def test_quirk_14_what_one_model_refuses_another_still_gets(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*refusal(400, WARM, code="unsupported_value", param="temperature"))
    server.always = HELLO
    sampling = Sampling(temperature=0.2)
    await ask(client, question(model="strict", sampling=sampling))
    await ask(client, question(model="other", sampling=sampling))
    assert server.requests[-1].json["temperature"] == 0.2


async def test_a_value_out_of_range_is_not_dropped_but_told(
    client: ApiClient, server: WireServer
) -> None:
    server.always = refusal(400, "3 is greater than the maximum of 2", param="temperature")
    _, error = await ask_badly(client, question(sampling=Sampling(temperature=3)))
    assert error.kind is Kind.BAD_REQUEST
    assert "maximum" in error.detail
    assert len(server.requests) == 1


async def test_a_server_that_refuses_stream_options_or_streams_is_asked_without(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*refusal(400, "Unrecognized request argument supplied: stream_options"))
    server.answer(*refusal(400, "This model does not support streaming", param="stream"))
    body = {"choices": [{"message": {"content": "Hello"}}]}
    server.answer(*json_answer(body))
    assert words(await ask(client)) == "Hello"
    assert server.requests[-1].json["stream"] is False
    only = "This model only support stream mode, please enable the stream parameter"  # DashScope
    server.answer(*refusal(400, only, code="invalid_parameter_error"))
    server.always = HELLO
    assert words(await ask(client)) == "Hello"
    assert server.requests[-1].json["stream"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "broken (request id: 2024abc)", "code": None}},
        {"error": {"message": "broken", "code": "", "request_id": "2024abc"}},
        {"message": "broken (request id: 2024abc)", "code": 400},
        {"msg": "broken", "request_id": "2024abc"},
        {"err": "broken (request id: 2024abc)"},
        {"error_msg": "broken (request id: 2024abc)", "code": 17},
        {"error": "broken (request id: 2024abc)"},
        {"success": False, "errors": [{"message": "broken (request id: 2024abc)", "code": 5006}]},
    ],
)
async def test_quirk_15_every_shape_of_an_error_is_read(
    client: ApiClient, server: WireServer, body: object
) -> None:
    server.answer(*json_answer(body, 400))
    _, error = await ask_badly(client)
    assert (error.kind, error.detail, error.request_id) == (Kind.BAD_REQUEST, "broken", "2024abc")


async def test_an_error_names_no_key(client: ApiClient, server: WireServer) -> None:
    message = "Incorrect API key provided: sk-abcdef1234567890."
    server.answer(*refusal(401, message, code="invalid_api_key", x_request_id="req_1"))
    _, error = await ask_badly(client)
    assert (error.kind, error.request_id) == (Kind.BAD_KEY, "req_1")
    assert "abcdef" not in str(error)


async def test_quirk_16_a_429_without_retry_after_is_tried_again_with_growing_pauses(
    client: ApiClient, server: WireServer, clock: EagerClock
) -> None:
    server.always = refusal(429, "slow down", code="rate_limit_exceeded")
    _, error = await ask_badly(client)
    assert error.kind is Kind.RATE_LIMITED
    assert len(server.requests) == 4
    assert clock.slept == sorted(clock.slept)
    assert len(clock.slept) == 3


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504, 524, 529])
async def test_a_passing_failure_is_tried_again(
    client: ApiClient, server: WireServer, status: int
) -> None:
    server.answer(*whole(b"<html>gateway</html>", status, "text/html"))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"


NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=30), usegmt=True)}, 30.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=30), usegmt=True)}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-3"}, 0.0),
        ({}, None),
    ],
)
def test_quirk_17_retry_after_in_all_its_forms(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, NOW) == seconds


async def test_quirk_17_what_the_server_asks_for_is_waited(
    client: ApiClient, server: WireServer, clock: EagerClock
) -> None:
    server.answer(*refusal(429, retry_after="7"))
    server.answer(*HELLO)
    await ask(client)
    (slept,) = clock.slept
    assert 7 < slept < 8


async def test_quirk_17_past_two_minutes_nobody_is_kept_waiting(
    client: ApiClient, server: WireServer, clock: EagerClock
) -> None:
    server.always = refusal(429, retry_after="121")
    _, error = await ask_badly(client)
    assert (error.kind, error.retry_after) == (Kind.RATE_LIMITED, 121)
    assert clock.slept == []


async def test_quirk_17_the_server_decides_whether_trying_again_helps(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*refusal(500, x_should_retry="false"))
    assert (await ask_badly(client))[1].kind is Kind.SERVER
    server.answer(*refusal(400, x_should_retry="true"))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"


def said(type_: str, **fields: object) -> bytes:
    return f"event: {type_}\n".encode() + data({"type": type_, **fields})


def responses_of(*events: bytes) -> list[object]:
    return list(stream(*events))


async def test_quirk_18_a_response_whose_output_is_empty_though_deltas_had_text(
    connect: Connect, server: WireServer
) -> None:
    client = connect(models={"m": {"protocol": "responses"}})
    usage = {"input_tokens": 3, "output_tokens": 2}
    server.answer(
        *stream(
            said("response.created", response={"created_at": 1.5}),
            said("response.reasoning_summary_text.delta", delta="Hm."),
            said("response.output_text.delta", delta="Hel"),
            said("response.output_text.delta", delta="lo"),
            said("response.completed", response={"output": [], "usage": usage}),
        )
    )
    events = await ask(client)
    assert (thoughts(events), words(events)) == ("Hm.", "Hello")
    ending = [Usage(prompt_tokens=3, completion_tokens=2), Finished(FinishReason.STOP)]
    assert events[-2:] == ending
    sent = server.requests[0]
    assert sent.path == "/v1/responses"
    content = [{"type": "input_text", "text": "Hi"}]
    assert sent.json["input"] == [{"role": "user", "content": content}]


async def test_quirk_18_a_response_that_only_its_end_tells(
    connect: Connect, server: WireServer
) -> None:
    client = connect(models={"m": {"protocol": "responses"}})
    message = {"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}
    call = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
    server.answer(*stream(said("response.completed", response={"output": [message, call]})))
    events = await ask(client)
    assert words(events) == "Hello"
    assert ToolCallDelta(index=0, id="a", name="f", arguments="{}") in events
    assert events[-1] == Finished(FinishReason.TOOL_CALLS)


@pytest.mark.parametrize(
    "failure",
    [
        said("response.failed", response={"error": {"code": "server_error", "message": "oh"}}),
        said("error", code="server_error", message="oh", param=None),
        b"event: error\n" + data({"error": {"message": "oh"}}),
    ],
)
async def test_quirk_18_a_failed_response_is_a_cut_once_there_was_text(
    connect: Connect, server: WireServer, failure: bytes
) -> None:
    client = connect(models={"m": {"protocol": "responses"}})
    server.answer(*stream(said("response.output_text.delta", delta="Hel"), failure))
    events, error = await ask_badly(client)
    assert (words(events), error.kind, error.detail) == ("Hel", Kind.CUT, "oh")


async def test_quirk_18_a_response_without_its_end_is_a_cut(
    connect: Connect, server: WireServer
) -> None:
    client = connect(models={"m": {"protocol": "responses"}})
    server.answer(*stream(said("response.output_text.delta", delta="Hel"), DONE))
    assert (await ask_badly(client))[1].kind is Kind.CUT


async def test_a_response_at_its_limit_is_not_whole(connect: Connect, server: WireServer) -> None:
    client = connect(models={"m": {"protocol": "responses"}})
    details = {"incomplete_details": {"reason": "max_output_tokens"}}
    delta = said("response.output_text.delta", delta="Hel")
    server.answer(*stream(delta, said("response.incomplete", response=details)))
    assert (await ask(client))[-1] == Finished(FinishReason.LENGTH)


@pytest.mark.parametrize(
    ("message", "path", "answer"),
    [
        (
            "This is not a chat model and thus not supported in the v1/chat/completions endpoint. "
            "Did you mean to use v1/completions?",
            "/v1/completions",
            [data({"choices": [{"text": " Hello", "finish_reason": "stop"}]})],
        ),
        (
            "As of transformers v4.44, default chat template is no longer allowed, so you must "
            "provide a chat template if the tokenizer does not define one.",  # vLLM
            "/v1/completions",
            [data({"choices": [{"text": " Hello", "finish_reason": "stop"}]})],
        ),
        *(
            (
                told,
                "/v1/responses",
                [
                    said("response.output_text.delta", delta="Hello"),
                    said("response.completed", response={}),
                ],
            )
            for told in (
                "This model is only supported in v1/responses and not in v1/chat/completions.",
                "The chatCompletion operation does not work with the specified model, o3-pro.",
                "model gpt-5-codex is not accessible via the /chat/completions endpoint",
            )
        ),
    ],
)
async def test_the_protocol_of_a_model_is_learnt_from_its_refusal(
    client: ApiClient, server: WireServer, message: str, path: str, answer: list[bytes]
) -> None:
    server.answer(*refusal(404, message, param="model"))
    server.always = stream(*answer)
    assert words(await ask(client)) == "Hello"
    assert words(await ask(client)) == "Hello"
    assert [request.path for request in server.requests] == ["/v1/chat/completions", path, path]
