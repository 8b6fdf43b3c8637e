"""Errors as gateways and vendors really write them: what they mean, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bot.api.client import ApiClient
from bot.api.failures.retry import asked_in_words
from bot.core.chat import ChatMessage, ChatRequest, ImagePart, Role, Sampling, TextPart
from bot.errors import ModelErrorKind
from tests.api.asking import ask, ask_badly, question, words
from tests.api.conftest import Connect, EagerClock
from tests.api.wire_server import (
    DONE,
    HELLO,
    Script,
    WireServer,
    data,
    finish,
    json_answer,
    refusal,
    stream,
    text,
    whole,
)

Kind = ModelErrorKind


def google(code: int, message: str) -> list[object]:
    """Google's list of one error."""
    return [{"error": {"code": code, "message": message, "status": "INVALID_ARGUMENT"}}]


def behind(raw: object, code: int = 400) -> dict[str, object]:
    """OpenRouter's error for what another server said."""
    metadata = {"raw": raw, "provider_name": "Somebody"}
    error = {"message": "Provider returned error", "code": code, "metadata": metadata}
    return {"error": error, "user_id": "u"}


def behind_words(raw: object) -> dict[str, object]:
    """The same, as new-api passes it on."""
    metadata = json.dumps({"raw": raw, "provider_name": "Somebody"})
    told = f"Provider returned error ({metadata}) (request id: 2026)"
    return {"error": {"message": told, "type": "upstream_error", "param": "", "code": 400}}


TOO_LONG = {"error": {"message": "prompt is too long: 9 tokens > 8 maximum", "code": None}}
FIELD = {
    "type": "extra_forbidden",
    "loc": ["body", "stream_options"],
    "msg": "Extra inputs are not permitted",
    "input": {"include_usage": True},
}


@pytest.mark.parametrize(
    ("status", "body", "kind", "detail"),
    [
        (400, google(400, "API key not valid. Please pass one."), Kind.BAD_KEY, "API key not"),
        (404, google(404, "models/m is not found for v1"), Kind.MODEL_NOT_FOUND, "models/m is"),
        (400, google(400, "Bad thing"), Kind.BAD_REQUEST, "Bad thing"),
        (
            400,
            google(400, "The input token count (12) exceeds the maximum number of 8."),
            Kind.CONTEXT_TOO_LONG,
            "The input",
        ),
        (400, {"error": {"message": json.dumps(TOO_LONG)}}, Kind.CONTEXT_TOO_LONG, "prompt is"),
        (400, behind(json.dumps(TOO_LONG)), Kind.CONTEXT_TOO_LONG, "prompt is too long"),
        (400, behind(TOO_LONG), Kind.CONTEXT_TOO_LONG, "prompt is too long"),
        (400, behind("at most 1 picture"), Kind.BAD_REQUEST, "at most 1 picture"),
        (400, behind_words(json.dumps(TOO_LONG)), Kind.CONTEXT_TOO_LONG, "prompt is too long"),
        (400, behind_words("at most 1 picture"), Kind.BAD_REQUEST, "at most 1 picture"),
        (400, {"error": {"message": "Bad (x) {y}"}}, Kind.BAD_REQUEST, "Bad (x) {y}"),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "too big"}]}, Kind.BAD_REQUEST, "n: too"),
        (400, "Invalid model", Kind.BAD_REQUEST, "Invalid model"),
        (400, [], Kind.BAD_REQUEST, "status 400"),
        (400, {"error": {"message": "[" * 50_000}}, Kind.BAD_REQUEST, "[[["),
    ],
)
async def test_the_innermost_words_of_an_error_are_read(
    client: ApiClient, server: WireServer, status: int, body: object, kind: Kind, detail: str
) -> None:
    server.always = json_answer(body, status)
    _, error = await ask_badly(client)
    assert error.kind is kind
    assert detail in error.detail
    assert "Provider" not in error.detail
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (401, "", "no", Kind.BAD_KEY),
        (403, "insufficient_user_quota", "no", Kind.QUOTA),
        (403, "", "用户额度不足, 剩余额度: ＄0.0001", Kind.QUOTA),
        (429, "insufficient_quota", "You exceeded your current quota", Kind.QUOTA),
        (402, "", "no", Kind.QUOTA),
        (503, "model_not_found", "no channel", Kind.MODEL_NOT_FOUND),
        (404, "model_not_found", "no", Kind.MODEL_NOT_FOUND),
        (404, "", "The model `x` does not exist", Kind.MODEL_NOT_FOUND),
        (404, "", "Invalid URL (POST /v1/chat/completions)", Kind.UNSUPPORTED),
        (400, "context_length_exceeded", "no", Kind.CONTEXT_TOO_LONG),
        (400, "", "This model's maximum context length is 8192 tokens", Kind.CONTEXT_TOO_LONG),
        (400, "content_filter", "no", Kind.REFUSED),
        (400, "", "rejected by our safety system", Kind.REFUSED),
        (422, "", "no", Kind.BAD_REQUEST),
        (413, "", "no", Kind.BAD_REQUEST),
        (401, "", "该令牌额度已用尽", Kind.QUOTA),
        (403, "", "预扣费额度失败, 用户剩余额度: ＄0.01", Kind.QUOTA),
        (403, "", "Sorry, your account balance is insufficient", Kind.QUOTA),
        (400, "", "Your credit balance is too low to access the API.", Kind.QUOTA),
        (400, "Arrearage", "Access denied, is your account in good standing?", Kind.QUOTA),
        (403, "AccountOverdueError", "the account has an overdue balance", Kind.QUOTA),
        (429, "1113", "您的账户已欠费，请充值后重试", Kind.QUOTA),
        (429, "exceeded_current_quota_error", "suspended", Kind.QUOTA),
        (429, "billing_not_active", "check your billing details", Kind.QUOTA),
        (429, "credit_balance_exhausted", "no", Kind.QUOTA),
        (403, "", "Key limit exceeded (total limit). Manage it using https://x", Kind.QUOTA),
        (403, "", "Budget limit exceeded", Kind.QUOTA),
        (400, "", "You have reached your specified API usage limits.", Kind.QUOTA),
        (403, "", "该令牌无权使用模型：gpt-5", Kind.MODEL_NOT_FOUND),
        (403, "", "该令牌无权访问模型 gpt-5", Kind.MODEL_NOT_FOUND),
        (500, "model_price_error", "模型 x 倍率或价格未配置", Kind.MODEL_NOT_FOUND),
        (400, "1211", "模型不存在，请检查模型代码。", Kind.MODEL_NOT_FOUND),
        (404, "", "Not found the model x or Permission denied", Kind.MODEL_NOT_FOUND),
        (400, "", "x/y is not a valid model ID", Kind.MODEL_NOT_FOUND),
        (404, "", "No endpoints found for x/y.", Kind.MODEL_NOT_FOUND),
        (404, "", "No endpoints found matching your data policy.", Kind.MODEL_NOT_FOUND),
        (404, "", "No endpoints available matching your guardrails.", Kind.MODEL_NOT_FOUND),
        (404, "", "No allowed providers are available for the model.", Kind.MODEL_NOT_FOUND),
        (404, "", "No endpoints found that support image input", Kind.BAD_REQUEST),
        (500, "", "image input is not supported - hint: mmproj", Kind.BAD_REQUEST),
        (500, "", "this model is missing data required for image input", Kind.BAD_REQUEST),
        (400, "model_decommissioned", "no", Kind.MODEL_NOT_FOUND),
        (404, "", "This model m is no longer available to new users.", Kind.MODEL_NOT_FOUND),
        (404, "", "The model m was deprecated, is no longer accessible", Kind.MODEL_NOT_FOUND),
        (404, "", "model: claude-3-opus", Kind.MODEL_NOT_FOUND),
        (404, "", "Model m is not supported by any configured account", Kind.MODEL_NOT_FOUND),
        (429, "USAGE_LIMIT_EXCEEDED", "Daily usage limit exceeded", Kind.QUOTA),
        (403, "SUBSCRIPTION_NOT_FOUND", "No active subscription found", Kind.QUOTA),
        (403, "", "API key 额度已用完", Kind.QUOTA),
        (403, "AllocationQuota.FreeTierOnly", "The free tier is exhausted.", Kind.QUOTA),
        (403, "", "your subscription payment is past due.", Kind.QUOTA),
        (403, "", "this model requires a subscription, upgrade for access", Kind.MODEL_NOT_FOUND),
        (403, "", "Your organization must be verified to use the model `m`.", Kind.MODEL_NOT_FOUND),
        (
            403,
            "",
            "The request is prohibited due to a violation of provider Terms Of Service.",
            Kind.MODEL_NOT_FOUND,
        ),
        (403, "Model.AccessDenied", "Model access denied.", Kind.MODEL_NOT_FOUND),
        (404, "DeploymentNotFound", "The API deployment does not exist.", Kind.MODEL_NOT_FOUND),
        (400, "", "max_tokens (9000) exceeds the limit of 8192", Kind.BAD_REQUEST),
        (400, "", "prompt_tokens (9000) exceeds the limit of 8192", Kind.CONTEXT_TOO_LONG),
        (500, "", "output new_sensitive (1027)", Kind.REFUSED),
        (400, "", "Generated image rejected by content moderation.", Kind.REFUSED),
        (400, "", "the request exceeds the available context size", Kind.CONTEXT_TOO_LONG),
        (400, "", "input length and `max_tokens` exceed context limit", Kind.CONTEXT_TOO_LONG),
        (400, "", "Range of input length should be [1, 30720]", Kind.CONTEXT_TOO_LONG),
        (400, "", "Your request exceeded model token limit: 8192", Kind.CONTEXT_TOO_LONG),
        (
            413,
            "rate_limit_exceeded",
            "Request too large for model `x`: Limit 6000, Requested 7000",
            Kind.CONTEXT_TOO_LONG,
        ),
        (400, "", "Content Exists Risk", Kind.REFUSED),
        (500, "bad_response", "NO_IMAGE", Kind.REFUSED),
        (400, "1301", "输入或生成内容可能包含不安全或敏感内容", Kind.REFUSED),
        (403, "", "This model requires moderation and your input was flagged", Kind.REFUSED),
    ],
)
async def test_quirk_16_the_code_or_else_the_words_decide_and_no_retry_is_wasted(
    client: ApiClient, server: WireServer, status: int, code: str, message: str, kind: Kind
) -> None:
    server.always = refusal(status, message, code=code)
    _, error = await ask_badly(client)
    assert error.kind is kind
    assert len(server.requests) == 1


async def test_a_refused_setting_is_left_away_though_it_is_said_to_be_too_many_requests(
    client: ApiClient, server: WireServer, clock: EagerClock
) -> None:
    told = "Unsupported parameter: 'stop' is not supported with this model."
    server.answer(*refusal(429, told, code="bad_response_status_code"))
    server.answer(*HELLO)
    assert words(await ask(client, question(sampling=Sampling(stop=("END",))))) == "Hello"
    assert "stop" not in server.requests[-1].json
    assert clock.slept == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_refused_behind_the_gateway_is_not_ours_and_another_may_be_taken(
    client: ApiClient, server: WireServer, status: int
) -> None:
    told = f"bad response status code {status} (request id: 2026)"
    refused = refusal(status, told, code="bad_response_status_code", param=str(status))
    server.answer(*refused)
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"
    server.always = refused
    assert (await ask_badly(client))[1].kind is Kind.SERVER


async def test_a_country_without_the_api_is_no_wrong_key_and_the_backup_is_asked(
    connect: Connect, server: WireServer, backup: WireServer
) -> None:
    told = "Country, region, or territory not supported"
    server.always = refusal(403, told, code="unsupported_country_region_territory")
    backup.always = HELLO
    assert words(await ask(connect(base_urls=(server.url, backup.url)))) == "Hello"
    assert (await ask_badly(connect()))[1].kind is Kind.BAD_ANSWER


async def test_where_no_code_says_what_it_is_the_type_does(
    client: ApiClient, server: WireServer
) -> None:
    error = {"message": "no", "type": "insufficient_quota", "code": None, "param": None}
    server.always = json_answer({"error": error}, 429)
    assert (await ask_badly(client))[1].kind is Kind.QUOTA
    assert len(server.requests) == 1


async def test_a_budget_of_what_runs_at_once_is_no_lack_of_money(
    client: ApiClient, server: WireServer, clock: EagerClock
) -> None:
    server.answer(*refusal(402, "in-flight budget exhausted", retry_after="3"))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"
    (slept,) = clock.slept
    assert 3 < slept < 4


async def test_without_money_nothing_is_tried_again_whatever_the_server_says(
    client: ApiClient, server: WireServer
) -> None:
    server.always = refusal(429, code="insufficient_quota", x_should_retry="true")
    assert (await ask_badly(client))[1].kind is Kind.QUOTA
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 504, 522, 524])
async def test_what_took_a_gateway_too_long_twice_is_not_paid_for_a_third_time(
    client: ApiClient, server: WireServer, status: int
) -> None:
    server.always = whole(b"", status)
    assert (await ask_badly(client))[1].kind is Kind.TIMEOUT
    assert len(server.requests) == 2


async def test_what_a_web_server_does_not_let_through_is_called_too_large(
    client: ApiClient, server: WireServer
) -> None:
    server.always = whole(b"<html>413 Request Entity Too Large</html>", 413, "text/html")
    _, error = await ask_badly(client)
    assert error.kind is Kind.BAD_REQUEST
    assert "larger than the server takes" in error.detail


async def test_too_many_tokens_in_a_minute_are_not_a_text_that_is_too_long(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*refusal(429, "Too many tokens, please wait before trying again."))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"


async def test_a_page_that_guards_the_server_is_no_wrong_key_and_the_backup_is_asked(
    connect: Connect, server: WireServer, backup: WireServer
) -> None:
    server.always = whole(b"<!DOCTYPE html><title>Just a moment...</title>", 403, "text/html")
    backup.always = HELLO
    assert words(await ask(connect(base_urls=(server.url, backup.url)))) == "Hello"
    _, error = await ask_badly(connect())
    assert error.kind is Kind.BAD_ANSWER


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached for gpt-5. Please try again in 6m0s. Visit https://x", 360.0),
        ("Limit 30000, Used 29000. Please try again in 20ms.", 0.02),
        ("Please retry after 26 seconds. Please go to https://x", 26.0),
        ("Quota exceeded for metric: y, limit: 15\nPlease retry in 34.5s.", 34.5),
        ("Please try again in 1h2m3.5s", 3723.5),
        ("please retry in 5 minutes", 300.0),
        ("please retry in 500 milliseconds", 0.5),
        (f"Please try again in {'9' * 400}s", None),
        ("Please try again in a minute", None),
        ("Please wait before trying again.", None),
        ("", None),
    ],
)
def test_how_long_to_wait_is_read_from_the_words(message: str, seconds: float | None) -> None:
    assert asked_in_words(message) == (None if seconds is None else pytest.approx(seconds))


async def test_what_the_words_ask_for_is_waited_where_no_header_came(
    client: ApiClient, server: WireServer, clock: EagerClock
) -> None:
    server.answer(*json_answer(google(429, "Quota exceeded. Please retry in 34.5s."), 429))
    server.answer(*HELLO)
    await ask(client)
    (slept,) = clock.slept
    assert 34.5 < slept < 36


@pytest.mark.parametrize(
    "body",
    [
        {"object": "error", "message": {"detail": [FIELD]}, "type": "invalid_request_error"},
        {"object": "error", "message": json.dumps({"detail": [FIELD]}), "code": "1000"},
        {"detail": [FIELD]},
        behind(json.dumps({"object": "error", "message": {"detail": [FIELD]}}), 422),
    ],
)
async def test_a_field_that_a_server_does_not_know_is_left_away(
    client: ApiClient, server: WireServer, body: object
) -> None:
    server.answer(*json_answer(body, 422))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"
    assert "stream_options" not in server.requests[-1].json


@pytest.mark.parametrize(
    ("message", "refused"),
    [
        ("invalid temperature: only 1 is allowed for this model", "temperature"),
        ("`temperature` may only be set to 1 when thinking is enabled.", "temperature"),
        ("`temperature` and `top_p` cannot both be specified for this model.", "temperature"),
        ("Model grok-4 does not support parameter presencePenalty.", "presence_penalty"),
        ("Argument not supported on this model: frequencyPenalty", "frequency_penalty"),
    ],
)
async def test_a_setting_that_a_model_refuses_in_other_words_is_left_away(
    client: ApiClient, server: WireServer, message: str, refused: str
) -> None:
    chosen = Sampling(temperature=0.5, top_p=0.9, presence_penalty=0.1, frequency_penalty=0.1)
    server.answer(*refusal(400, message))
    server.answer(*HELLO)
    assert words(await ask(client, question(sampling=chosen))) == "Hello"
    first, second = (request.json for request in server.requests)
    assert first.keys() - second.keys() == {refused}


async def test_gemini_is_asked_without_any_penalty(client: ApiClient, server: WireServer) -> None:
    message = "Penalty is not enabled for models/gemini-2.5-flash"
    both = Sampling(temperature=0.5, presence_penalty=0.1, frequency_penalty=0.1)
    server.answer(*json_answer(google(400, message), 400))
    server.answer(*json_answer(google(400, message), 400))
    server.answer(*HELLO)
    assert words(await ask(client, question(sampling=both))) == "Hello"
    kept = server.requests[-1].json
    assert (kept["temperature"], [name for name in kept if "penalty" in name]) == (0.5, [])


@pytest.mark.parametrize(
    "event",
    [
        {"object": "error", "message": "CUDA out of memory", "type": "X", "code": 50001},
        {"code": 50603, "message": "System is too busy now", "data": None},
        google(503, "The model is overloaded."),
        {"error": {"code": 502, "message": "gone"}, "choices": [{"delta": {"content": ""}}]},
        {"error": {"type": "invalid_request_error", "code": "request_timeout", "message": "gone"}},
    ],
)
async def test_an_error_of_any_shape_in_a_stream_is_asked_again_or_cuts(
    client: ApiClient, server: WireServer, event: object
) -> None:
    server.answer(*stream(data(event)))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"
    server.answer(*stream(text("Hel"), data(event), finish(), DONE))
    events, error = await ask_badly(client)
    assert (words(events), error.kind) == ("Hel", Kind.CUT)


@pytest.mark.parametrize("answer", [json_answer, lambda body: stream(data(body))])
async def test_what_minimax_says_beside_an_answer_that_is_none_is_read(
    client: ApiClient, server: WireServer, answer: Callable[[object], Script]
) -> None:
    told = {"status_code": 1008, "status_msg": "insufficient balance"}
    server.always = answer({"id": "1", "choices": None, "base_resp": told})
    assert (await ask_badly(client))[1].kind is Kind.QUOTA
    assert len(server.requests) == 1
    well = {"choices": [{"message": {"content": "Hello"}}], "base_resp": {"status_code": 0}}
    server.always = json_answer(well)
    assert words(await ask(client)) == "Hello"


PICTURE = ImagePart(mime="image/png", data=b"png")


@pytest.mark.parametrize(
    "message",
    [
        "Developer instruction is not enabled for models/gemma-3-27b-it",
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        "System role not supported",
        "Only user and assistant roles are supported!",
    ],
)
async def test_instructions_go_with_the_question_where_a_model_takes_them_only_there(
    client: ApiClient, server: WireServer, message: str
) -> None:
    told = ChatMessage(role=Role.SYSTEM, parts=(TextPart("Be brief."),))
    asked = ChatMessage(role=Role.USER, parts=(TextPart("Hi"),))
    shown = ChatMessage(role=Role.USER, parts=(TextPart("Hi"), PICTURE))
    server.answer(*refusal(400, message))
    server.always = HELLO
    assert words(await ask(client, ChatRequest(model="m", messages=(told, asked)))) == "Hello"
    await ask(client, ChatRequest(model="m", messages=(told, shown)))
    refused, first, second = (request.json["messages"] for request in server.requests)
    assert refused[0] == {"role": "system", "content": "Be brief."}
    assert first == [{"role": "user", "content": "Be brief.\n\nHi"}]
    assert [part.get("text") for part in second[0]["content"]] == ["Be brief.", "Hi", None]


def said(role: Role, *parts: TextPart | ImagePart) -> ChatMessage:
    return ChatMessage(role=role, parts=parts)


@pytest.mark.parametrize(
    "refused",
    [
        refusal(  # vLLM
            400, "Conversation roles must alternate user/assistant/user/assistant/..."
        ),
        json_answer(  # llama.cpp
            {
                "error": {
                    "code": 500,
                    "message": "\n------------\nWhile executing CallExpression at line 189, column "
                    "32 in source:\n...== 0) %}↵    {{- raise_exception('After the optional system "
                    "message, con...\n        ^\nError: Jinja Exception: After the optional system "
                    "message, conversation roles must alternate user and assistant roles except "
                    "for tool calls and results.",
                    "type": "server_error",
                }
            },
            500,
        ),
        stream(  # LM Studio
            b"event: error\n"
            + data(
                {
                    "error": {
                        "message": 'Error rendering prompt with jinja template: "Conversation '
                        'roles must alternate user/assistant/user/assistant/...".\n\nThis is '
                        "usually an issue with the model's prompt template."
                    }
                }
            )
        ),
    ],
)
async def test_who_speaks_twice_speaks_once_where_a_model_wants_turns(
    client: ApiClient, server: WireServer, refused: Script
) -> None:
    group = (
        said(Role.SYSTEM, TextPart("Be brief.")),
        said(Role.USER, TextPart("Ann: Hi")),
        said(Role.USER, TextPart("Bob: Look"), PICTURE),
        said(Role.USER, TextPart("Ann: Well?")),
        said(Role.ASSISTANT, TextPart("A cat.")),
        said(Role.USER, TextPart("Ann: Why?")),
        said(Role.USER, TextPart("Ann: Please")),
    )
    server.answer(*refused)
    server.always = HELLO
    for _ in range(2):
        assert words(await ask(client, ChatRequest(model="m", messages=group))) == "Hello"
    assert len(server.requests) == 3
    for request in server.requests[1:]:
        system, seen, answer, asked = request.json["messages"]
        assert (system["role"], answer["content"]) == ("system", "A cat.")
        assert [part.get("text") for part in seen["content"]] == [
            "Ann: Hi",
            "Bob: Look",
            None,
            "Ann: Well?",
        ]
        assert asked == {"role": "user", "content": "Ann: Why?\n\nAnn: Please"}


async def test_instructions_that_are_out_of_turn_go_with_the_question(
    client: ApiClient, server: WireServer
) -> None:
    told = said(Role.SYSTEM, TextPart("Be brief."))
    asked = said(Role.USER, TextPart("Hi"))
    server.answer(*refusal(400, "Conversation roles must alternate user/assistant/..."))
    server.answer(*HELLO)
    assert words(await ask(client, ChatRequest(model="m", messages=(told, asked)))) == "Hello"
    assert server.requests[-1].json["messages"] == [{"role": "user", "content": "Be brief.\n\nHi"}]
