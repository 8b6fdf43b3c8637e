"""Errors of servers that people run themselves, byte for byte as these write them.

llama.cpp, vLLM, SGLang, Ollama, LM Studio, LiteLLM, new-api, TGI: what a person reads, and whether
the same is asked in vain once more.
"""

from __future__ import annotations

import json

import pytest

from bot.api.client import ApiClient
from bot.errors import ModelErrorKind
from tests.api.asking import ask, ask_badly, words
from tests.api.wire_server import HELLO, WireServer, data, json_answer, stream, whole

Kind = ModelErrorKind


def llama(message: str, type_: str, code: int, **more: object) -> tuple[int, object]:
    """llama.cpp's error."""
    return code, {"error": {"code": code, "message": message, "type": type_, **more}}


def vllm(message: str, code: int = 400, param: str | None = None) -> tuple[int, object]:
    """The error of vLLM."""
    error = {"message": message, "type": "BadRequestError", "param": param, "code": code}
    return code, {"error": error}


def sglang(message: str, code: int = 400) -> tuple[int, object]:
    """The error of SGLang, which has nothing around it."""
    body = {"object": "error", "message": message, "type": "BadRequestError", "param": None}
    return code, {**body, "code": code}


def litellm(message: str, type_: str | None, code: int) -> tuple[int, object]:
    """The error of LiteLLM's proxy: its code is the status, as a string."""
    return code, {"error": {"message": message, "type": type_, "param": None, "code": f"{code}"}}


def new_api(message: str, code: str, status: int) -> tuple[int, object]:
    """The error of new-api."""
    message += " (request id: 20260829103005123456789abcdefgh)"
    return status, {"error": {"message": message, "type": "new_api_error", "code": code}}


TOO_LONG = [
    llama(
        "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
        "exceed_context_size_error",
        400,
        n_prompt_tokens=5000,
        n_ctx=4096,
    ),
    llama(
        "input (700 tokens) is too large to process. increase the physical batch size",
        "server_error",
        500,
    ),
    llama("context shift is disabled", "server_error", 500),
    vllm("The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
    vllm(
        "You passed 5000 input tokens and requested 100 output tokens. However, the model's "
        "context length is only 4096 tokens, resulting in a maximum input length of 3996 tokens.",
        param="input_tokens",
    ),
    vllm(
        "'max_tokens' or 'max_completion_tokens' is too large: 3000. This model's maximum context "
        "length is 4096 tokens and your request has 2000 input tokens (3000 > 4096 - 2000).",
        param="max_tokens",
    ),
    sglang(
        "Input length (31996 tokens) exceeds the maximum allowed length (31994 tokens). "
        "Use a shorter input or enable --allow-auto-truncate."
    ),
    sglang("The input (5000 tokens) is longer than the model's context length (4096 tokens)."),
    (400, {"error": {"message": "the input length exceeds the context length", "code": None}}),
    (400, {"error": "Cannot truncate prompt with n_keep (5000) >= n_ctx (4096)"}),
    (422, {"error": "Input validation error: `inputs` must have less than 1024 tokens. Given: 9"}),
    (
        422,
        {
            "error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. "
            "Given: 4000 `inputs` tokens and 200 `max_new_tokens`",
            "error_type": "validation",
        },
    ),
    litellm(
        "litellm.ContextWindowExceededError: litellm.BadRequestError: XaiException - This model's "
        "maximum prompt length is 131072 but the request contains 140213 tokens.",
        None,
        400,
    ),
    new_api("Total tokens of image and text exceed max message tokens", "InvalidParameter", 400),
    new_api("Prompt exceeds max length", "1261", 400),
    new_api("length of prompt_tokens (9) must be less than max_seq_len (8)", "20015", 400),
    new_api("输入内容超过最大长度限制", "invalid_parameter", 400),
    new_api("请求的上下文长度超出限制", "", 400),
]


@pytest.mark.parametrize(("status", "body"), TOO_LONG)
async def test_a_text_that_is_too_long_is_called_so_and_not_asked_again(
    client: ApiClient, server: WireServer, status: int, body: object
) -> None:
    server.always = json_answer(body, status)
    _, error = await ask_badly(client)
    assert error.kind is Kind.CONTEXT_TOO_LONG
    assert len(server.requests) == 1


LONG_ANSWER = (
    "'max_tokens' or 'max_completion_tokens' is too large: 9000. This model's maximum context "
    "length is 4096 tokens and your request has 12 input tokens (9000 > 4096 - 12)."
)
NOTHING_FITS = "max_tokens=8888 cannot be greater than max_model_len=max_total_tokens=3072."
TEMPLATE = (
    "\n------------\nWhile executing CallExpression at line 19, column 27 in source:\n"
    '...% 2 == 0) -%}↵        {{ raise_exception("Unknown role...\n            ^\n'
    "Error: Jinja Exception: Unknown role"
)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (*vllm(LONG_ANSWER, param="max_tokens"), Kind.CONTEXT_TOO_LONG),
        (*vllm(NOTHING_FITS), Kind.CONTEXT_TOO_LONG),
        (*llama(TEMPLATE, "server_error", 500), Kind.BAD_REQUEST),
        (
            *llama("image input is not supported - hint: mmproj", "server_error", 500),
            Kind.BAD_REQUEST,
        ),
        (
            *litellm(
                "key not allowed to access model. This key can only access models=['a']. "
                "Tried to access m",
                "key_model_access_denied",
                401,
            ),
            Kind.MODEL_NOT_FOUND,
        ),
        (
            400,
            {
                "error": {
                    "message": "{'error': '/chat/completions: Invalid model name passed in "
                    "model=m. Call `/v1/models` to view available models for your key.'}",
                    "type": "None",
                    "param": "None",
                    "code": "400",
                }
            },
            Kind.MODEL_NOT_FOUND,
        ),
        (
            *litellm(
                "litellm.BadRequestError: You passed in model=m. There are no healthy deployments "
                "for this model. Received Model Group=m",
                None,
                400,
            ),
            Kind.MODEL_NOT_FOUND,
        ),
        (
            *litellm(
                "Budget has been exceeded! Current cost: 5.0, Max budget: 1.0",
                "budget_exceeded",
                400,
            ),
            Kind.QUOTA,
        ),
        (
            *litellm("ExceededBudget: User=u over budget. Spend=2, Budget=1", "auth_error", 401),
            Kind.QUOTA,
        ),
        (
            *litellm("Authentication Error - Expired Key. Key Expiry time x", "expired_key", 400),
            Kind.BAD_KEY,
        ),
        (
            *new_api("This token quota is exhausted TokenStatusExhausted[sk-abc***xyz]", "", 401),
            Kind.QUOTA,
        ),
        (*new_api("Content violates usage guidelines", "", 403), Kind.REFUSED),
        (*new_api("Failed check: SAFETY_CHECK", "violation_fee.grok.csam", 403), Kind.REFUSED),
        (*new_api("request blocked by Gemini API: SAFETY", "prompt_blocked", 400), Kind.REFUSED),
        (*new_api("max_tokens is invalid", "invalid_request", 500), Kind.BAD_REQUEST),
        (*new_api("invalid image data", "convert_request_failed", 500), Kind.BAD_REQUEST),
    ],
)
async def test_what_these_servers_refuse_is_told_as_what_it_is(
    client: ApiClient, server: WireServer, status: int, body: object, kind: Kind
) -> None:
    server.always = json_answer(body, status)
    _, error = await ask_badly(client)
    assert error.kind is kind
    assert len(server.requests) == 1


async def test_where_in_a_template_a_server_was_is_not_told(
    client: ApiClient, server: WireServer
) -> None:
    status, body = llama(TEMPLATE, "server_error", 500)
    server.always = json_answer(body, status)
    assert (await ask_badly(client))[1].detail == "Unknown role"


async def test_an_error_in_a_stream_under_200_is_read_as_lm_studio_writes_it(
    client: ApiClient, server: WireServer
) -> None:
    words_of_it = (
        "The number of tokens to keep from the initial prompt is greater than the context length "
        "(n_keep: 5000>= n_ctx: 4096). Try to load the model with a larger context length."
    )
    error = {"error": {"message": words_of_it}, "message": words_of_it}
    server.always = stream(b"event: error\n" + data(error))
    _, failure = await ask_badly(client)
    assert failure.kind is Kind.CONTEXT_TOO_LONG
    assert len(server.requests) == 1


async def test_an_error_in_a_field_of_its_own_is_read_as_old_llama_servers_write_it(
    client: ApiClient, server: WireServer
) -> None:
    error = {"code": 400, "message": "the request exceeds the available context size."}
    line = b"error: " + json.dumps(error).encode() + b"\n\n"
    server.always = whole(line, content_type="text/event-stream")
    _, failure = await ask_badly(client)
    assert failure.kind is Kind.CONTEXT_TOO_LONG
    assert len(server.requests) == 1


async def test_a_busy_server_is_asked_again(client: ApiClient, server: WireServer) -> None:
    busy = "server busy, please try again.  maximum pending requests exceeded"
    server.answer(*json_answer({"error": {"message": busy, "type": "api_error"}}, 503))
    server.answer(*HELLO)
    assert words(await ask(client)) == "Hello"


async def test_an_operator_of_litellm_finds_the_request_by_its_id(
    client: ApiClient, server: WireServer
) -> None:
    status, body = litellm("Key is blocked", "auth_error", 401)
    server.always = json_answer(body, status, x_litellm_call_id="5f2c")
    assert (await ask_badly(client))[1].request_id == "5f2c"
