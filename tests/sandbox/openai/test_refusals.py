"""What the service refuses, in the words it documents."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI, AuthenticationError, NotFoundError, RateLimitError

from bot.sandbox.openai import ScriptedApi, serve_scripted
from tests.patience import PATIENCE

USER = {"role": "user", "content": "Hello"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}}


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"messages": None}, "messages", "missing_required_parameter"),
        ({"messages": []}, "messages", "empty_array"),
        ({"messages": "Hello"}, "messages", "invalid_type"),
        ({"messages": [{"role": "boss", "content": "Hi"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "missing_required_parameter"),
        (
            {"messages": [{"role": "user", "content": [IMAGE]}]},
            "messages[0].content[0].image_url",
            "invalid_image_format",
        ),
        ({"model": None}, "model", "missing_required_parameter"),
        ({"temperature": 2.5}, "temperature", "decimal_above_max_value"),
        ({"temperature": "hot"}, "temperature", "invalid_type"),
        ({"top_p": -0.5}, "top_p", "decimal_below_min_value"),
        ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
        ({"n": 129}, "n", "integer_above_max_value"),
        ({"stop": list("abcde")}, "stop", "array_above_max_length"),
        ({"presence_penalty": 3}, "presence_penalty", "decimal_above_max_value"),
        ({"stream": "yes"}, "stream", "invalid_type"),
        ({"model": "o3-mini", "max_tokens": 5}, "max_tokens", "unsupported_parameter"),
        ({"model": "o3-mini", "temperature": 0.5}, "temperature", "unsupported_value"),
    ],
)
async def test_a_wrong_parameter_is_refused_by_name(
    http: httpx.AsyncClient, change: dict[str, Any], param: str, code: str
) -> None:
    body = {"model": "gpt-4o", "messages": [USER]} | change
    answer = await http.post("/chat/completions", json=body)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["type"], error["code"]) == ("invalid_request_error", code)
    assert error["param"] == param


async def test_a_body_that_is_not_json_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/chat/completions", content=b"{")
    assert answer.status_code == 400
    assert "could not parse the JSON body" in answer.json()["error"]["message"]


async def test_an_unknown_url_is_refused_in_json(http: httpx.AsyncClient) -> None:
    answer = await http.post("/fine_tuning/jobs", json={})
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Invalid URL (POST /v1/fine_tuning/jobs)"


async def test_an_upload_past_the_limit_is_refused(http: httpx.AsyncClient) -> None:
    files = {"file": ("long.mp3", bytes(26 * 1024 * 1024))}
    answer = await http.post("/audio/transcriptions", files=files, data={"model": "whisper-1"})
    assert answer.status_code == 413


async def test_a_file_that_is_not_audio_by_name_is_refused(http: httpx.AsyncClient) -> None:
    files = {"file": ("notes.txt", b"hello")}
    answer = await http.post("/audio/transcriptions", files=files, data={"model": "whisper-1"})
    assert answer.status_code == 400
    assert "Unrecognized file format" in answer.json()["error"]["message"]


async def test_a_model_that_only_speaks_another_endpoint_says_which(sdk: AsyncOpenAI) -> None:
    with pytest.raises(NotFoundError, match="only supported in v1/responses"):
        await sdk.chat.completions.create(
            model="o1-pro", messages=[{"role": "user", "content": ""}]
        )
    with pytest.raises(NotFoundError, match="Did you mean to use v1/chat/completions"):
        await sdk.completions.create(model="gpt-4o", prompt="Hello")
    with pytest.raises(NotFoundError) as unknown:
        await sdk.embeddings.create(model="gpt-9", input="Hello")
    assert unknown.value.code == "model_not_found"


async def test_only_the_right_key_is_let_in(api: ScriptedApi) -> None:
    async with AsyncOpenAI(
        base_url=api.url, api_key="sk-wrong", max_retries=0, timeout=PATIENCE
    ) as client:
        with pytest.raises(AuthenticationError) as refused:
            await client.models.list()
    assert refused.value.code == "invalid_api_key"


async def test_too_many_requests_at_a_time_are_refused() -> None:
    async with (
        serve_scripted(max_in_flight=1) as api,
        AsyncOpenAI(base_url=api.url, api_key="sk-any", max_retries=0, timeout=PATIENCE) as client,
    ):
        api.script.pace = 60
        stream = await client.chat.completions.create(
            model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], stream=True
        )
        with pytest.raises(RateLimitError):
            await client.models.list()
        await stream.close()
        await api.traffic.until(lambda seen: seen.in_flight == 0)
        assert [model.id async for model in client.models.list()]
