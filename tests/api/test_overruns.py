"""By how much a request was too long, as servers say it."""

from __future__ import annotations

import json

import pytest

from bot.api.failures.errors import from_response
from bot.errors import ModelErrorKind

TOLD = [
    (
        "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens "
        "(8500 in the messages, 500 in the completion). Please reduce the length of the messages.",
        8192,
        8500,
    ),
    (  # vLLM
        "This model's maximum context length is 4096 tokens. However, your request has 5000 input "
        "tokens. Please reduce the length of the input messages.",
        4096,
        5000,
    ),
    (
        "'max_tokens' or 'max_completion_tokens' is too large: 9000. This model's maximum context "
        "length is 8192 tokens and your request has 500 input tokens (9000 > 8192 - 500).",
        8192,
        500,
    ),
    (
        "You passed 4097 input tokens and requested 100 output tokens. However, the model's "
        "context length is only 4096 tokens, resulting in a maximum input length of 3996 tokens.",
        4096,
        4097,
    ),
    (  # SGLang
        "Requested token count exceeds the model's maximum context length of 32768 tokens. You "
        "requested a total of 33000 tokens: 32000 tokens from the input messages and 1000 tokens "
        "for the completion.",
        32768,
        32000,
    ),
    (
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        4096,
        5000,
    ),
    (  # llama.cpp
        "request (9000 tokens) exceeds the available context size (4096 tokens), try increasing it",
        4096,
        9000,
    ),
    (  # LM Studio
        "Trying to keep the first 5000 tokens when context the overflows. However, the model is "
        "loaded with context length of only 4096 tokens, which is not enough.",
        4096,
        5000,
    ),
    ("prompt is too long: 210000 tokens > 200000 maximum", 200_000, 210_000),
    (
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease "
        "input length or `max_tokens` and try again",
        200_000,
        190_000,
    ),
    (  # Google
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        1_048_576,
        1_200_000,
    ),
    (
        "The input token count exceeds the maximum number of tokens allowed 1048576.",
        1_048_576,
        None,
    ),
    (  # OpenRouter
        "This endpoint's maximum context length is 131072 tokens. However, you requested about "
        "150000 tokens (149000 of text input, 1000 in the output).",
        131_072,
        149_000,
    ),
    (  # Mistral
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum "
        "context length",
        32_768,
        40_000,
    ),
    (  # SambaNova
        "The maximum context length of Meta-Llama-3.3-70B-Instruct is 8192. However, answering "
        "your request will take 9000 tokens.",
        8192,
        9000,
    ),
    ("Your request exceeded model token limit: 8192 (requested: 9000)", 8192, 9000),  # Moonshot
    ("Range of input length should be [1, 129024]", 129_024, None),  # DashScope
    (  # OpenAI
        "Input tokens exceed the configured limit of 272,000 tokens. Your messages resulted in "
        "300,000 tokens. Please reduce the length of the messages.",
        272_000,
        300_000,
    ),
    (
        "Request too large for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, "
        "Requested 40000. The input or output tokens must be reduced.",
        30_000,
        None,
    ),
    (
        "Request too large for model `llama-3.3-70b-versatile` in organization `org_1` service "
        "tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 14810, please reduce "
        "your message size and try again.",
        6_000,
        None,
    ),
    ("Requested tokens (5000) exceed context window of 4096", 4096, 5000),  # llama-cpp-python
    ("Input length 40000 exceeds the maximum length 32768", 32_768, 40_000),  # Volcengine
    (  # Amazon
        "prompt tokens (1200008) exceed model maximum (1050000) for openai.gpt-5.6-terra",
        1_050_000,
        1_200_008,
    ),
    ("prompt token count of 140000 exceeds the limit of 128000", 128_000, 140_000),  # GitHub
    # A code, and nothing about tokens.
    ("invalid params, context window exceeds limit (2013)", None, None),  # MiniMax
    ("Input is too long for requested model.", None, None),  # Bedrock
    ("Your input exceeds the context window of this model. Please adjust it.", None, None),
    (
        "The decoder prompt (length 8825) is longer than the maximum model length of 8192. Make "
        "sure that `max_model_len` is no smaller than the number of text tokens.",
        8192,
        8825,
    ),
    (
        "Input length (31996 tokens) exceeds the maximum allowed length (31994 tokens). Use a "
        "shorter input or enable --allow-auto-truncate.",
        31_994,
        31_996,
    ),
    ("length of prompt_tokens (99999) must be less than max_seq_len (98304).", 98_304, 99_999),
    (
        "Cannot truncate prompt with n_keep (36153) >= n_ctx (4096), the context length",
        4096,
        36_153,
    ),
    ("max_tokens=8888 cannot be greater than max_model_len=max_total_tokens=3072.", 3072, None),
]


@pytest.mark.parametrize(("message", "limit", "asked"), TOLD)
def test_the_numbers_of_a_refusal_are_read(
    message: str, limit: int | None, asked: int | None
) -> None:
    failure = from_response(400, {}, json.dumps({"error": {"message": message}}).encode())
    assert failure.kind is ModelErrorKind.CONTEXT_TOO_LONG
    assert (failure.overrun.limit, failure.overrun.asked) == (limit, asked)


def test_numbers_beside_the_words_are_read() -> None:
    error = {
        "code": 400,
        "message": "the request exceeds the available context size, try increasing it",
        "type": "exceed_context_size_error",
        "n_prompt_tokens": 9000,
        "n_ctx": 4096,
    }
    for body in ({"error": error}, {"error": {"message": json.dumps({"error": error})}}):
        failure = from_response(400, {}, json.dumps(body).encode())
        assert (failure.overrun.limit, failure.overrun.asked) == (4096, 9000)


def test_characters_are_no_tokens() -> None:
    message = (
        "Invalid 'messages[0].content': string too long. Expected a string with maximum length "
        "10485760, but got a string with length 20000000 instead."
    )
    error = {"message": message, "code": "string_above_max_length"}
    failure = from_response(400, {}, json.dumps({"error": error}).encode())
    assert failure.overrun.limit is None and failure.overrun.asked is None


def test_the_words_of_another_error_are_not_searched_for_numbers() -> None:
    message = "max_tokens is too large: 10000. The limit is 4096 for this model."
    failure = from_response(400, {}, json.dumps({"error": {"message": message}}).encode())
    assert failure.overrun.limit is None


@pytest.mark.parametrize(
    ("message", "most"),
    [
        ("At most 1 image(s) may be provided in one request.", 1),  # vLLM
        ("You set image=2 (or defaulted to 1) in `--limit-mm-per-prompt`, but passed 3.", 1),
        ("Too many images provided. This model supports up to 5 images", 5),  # Groq
        ("Too many images in request. Max is 10.", 10),
        ("Exceeded maximum number of images (50) allowed in the request.", 1),
        ("image input is not supported - hint: if this is unexpected, add an mmproj", 0),
        ("Failed to deserialize the JSON body: unknown variant `image_url`, expected `text`", 0),
        ("Invalid content type. image_url is only supported by certain models.", 0),
        ("No endpoints found that support image input", 0),
        ("This model does not support images.", 0),
        ("The model `deepseek-chat` doesn't support vision", 0),
        ("this model is missing data required for image input", 0),  # Ollama
        ("messages.content.type 参数非法，取值范围 ['text']", 0),  # Zhipu
        ("The model is not a VLM (Vision Language Model). Please use text-only prompts.", 0),
        (  # DashScope
            "The provided messages input is invalid. The error info is [Unexpected item type in "
            "content.]",
            0,
        ),
        ("We only support images of type png, jpeg and webp.", None),
        ("This model does not support images larger than 5 MB.", None),
        ("This model does not support image formats other than PNG.", None),
        ("Your image is not valid. We support images up to 20 MB.", None),
        ("Invalid image data.", None),
    ],
)
def test_how_many_pictures_a_model_takes_is_read(message: str, most: int | None) -> None:
    failure = from_response(400, {}, json.dumps({"error": {"message": message}}).encode())
    assert failure.kind is ModelErrorKind.BAD_REQUEST
    assert failure.overrun.pictures == most
