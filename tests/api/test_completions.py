"""Models that only continue a text."""

from __future__ import annotations

import pytest

from bot.api.client import ApiClient
from bot.core.chat import (
    ChatMessage,
    ChatRequest,
    Finished,
    FinishReason,
    Role,
    Sampling,
    TextPart,
    Usage,
)
from bot.errors import ModelErrorKind
from tests.api.asking import ask, ask_badly, question, words
from tests.api.conftest import Connect
from tests.api.wire_server import DONE, WireServer, data, json_answer, stream, usage


@pytest.fixture
def client(connect: Connect) -> ApiClient:
    return connect(models={"*": {"protocol": "completions"}})


def piece(text: str, reason: str | None = None) -> bytes:
    return data({"choices": [{"index": 0, "text": text, "finish_reason": reason}]})


async def test_a_conversation_is_a_script_to_be_continued(
    client: ApiClient, server: WireServer
) -> None:
    said = [
        (Role.SYSTEM, "Be kind."),
        (Role.USER, "Hi"),
        (Role.ASSISTANT, "Yes?"),
        (Role.USER, "?"),
    ]
    messages = tuple(ChatMessage(role=role, parts=(TextPart(text),)) for role, text in said)
    server.answer(*stream(piece(" Hel"), piece("lo"), piece("", "stop"), usage(9, 2), DONE))
    events = await ask(
        client, ChatRequest(model="m", messages=messages, sampling=Sampling(max_tokens=5))
    )
    assert words(events) == "Hello"
    ending = [Usage(prompt_tokens=9, completion_tokens=2), Finished(FinishReason.STOP)]
    assert events[-2:] == ending
    sent = server.requests[0]
    assert sent.path == "/v1/completions"
    assert sent.json["prompt"] == "Be kind.\n\nUser: Hi\n\nAssistant: Yes?\n\nUser: ?\n\nAssistant:"
    assert sent.json["max_tokens"] == 5
    assert sent.json["stop"] == ["\nUser:"]


async def test_an_answer_cut_short_is_a_cut(client: ApiClient, server: WireServer) -> None:
    server.answer(*stream(piece("Hel"), DONE))
    events, error = await ask_badly(client)
    assert (words(events), error.kind) == ("Hel", ModelErrorKind.CUT)


async def test_an_answer_in_one_piece(client: ApiClient, server: WireServer) -> None:
    server.answer(*json_answer({"choices": [{"text": " Hello", "finish_reason": "length"}]}))
    events = await ask(client, question())
    assert words(events) == "Hello"
    assert events[-1] == Finished(FinishReason.LENGTH)
