"""Against aimock: answers, responses, pictures, recordings and embeddings, with faults in each.

Needs node, and the first time npm's registry: both are there in CI. Elsewhere these tests are
skipped without them.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from bot.api.client import ApiClient
from bot.core.chat import ToolCallDelta
from bot.core.images import ImageRequest
from bot.core.recordings import AudioClip, Segment, TranscriptionRequest
from bot.errors import ModelError, ModelErrorKind
from tests.api.aimock import Aimock, NotStartedError, is_possible, running
from tests.api.asking import ask, ask_badly, is_finished, of, question, thoughts, words
from tests.api.conftest import Connect
from tests.api.test_images import PNG, drawn

pytestmark = pytest.mark.skipif(not is_possible(), reason="aimock needs node")

Kind = ModelErrorKind
TEXT = "Hi there! How are you doing today, my friend? Well, I hope."
PICTURE = "iVBORw0KGgo="
SEGMENT = {"id": 0, "start": 0, "end": 2.5, "text": "Hello world"}
HEARD = {"text": "Hello world", "language": "en", "duration": 2.5, "segments": [SEGMENT]}
CALL = {"id": "call_1", "name": "weather", "arguments": {"place": "Lima"}}


def refused(status: int, endpoint: str, model: str, **when: object) -> dict[str, Any]:
    kinds = {400: "invalid_request_error", 429: "rate_limit_error"}
    error = {"message": "try later", "type": kinds.get(status, "server_error")}
    match = {"endpoint": endpoint, "model": model, **when}
    return {"match": match, "response": {"error": error, "status": status}}


def said(model: str, **response: object) -> dict[str, Any]:
    return {"match": {"endpoint": "chat", "model": model}, "response": response}


FIXTURES = [
    refused(429, "chat", "busy", sequenceIndex=0),
    refused(503, "chat", "busy", sequenceIndex=1),
    refused(500, "chat", "broken"),
    refused(429, "image", "busy painter", sequenceIndex=0),
    refused(500, "image", "broken painter"),
    refused(503, "transcription", "busy", sequenceIndex=0),
    refused(500, "embedding", "busy", sequenceIndex=0),
    refused(400, "embedding", "wrong"),
    {**said("torn", content=TEXT * 3), "latency": 20, "truncateAfterChunks": 9},
    {**said("lost", content=TEXT * 9), "latency": 20, "disconnectAfterMs": 300},
    {**said("gone", content=TEXT), "chaos": {"disconnectRate": 1}},
    said("thinker", content=TEXT, reasoning="Let me see."),
    said("caller", toolCalls=[CALL]),
    {"match": {"endpoint": "image"}, "response": {"image": {"b64Json": PICTURE}}},
    {"match": {"endpoint": "transcription"}, "response": {"transcription": HEARD}},
    {"match": {"endpoint": "chat"}, "response": {"content": TEXT}},
]


@pytest.fixture(scope="module")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aimock]:
    try:
        with running(tmp_path_factory.mktemp("aimock"), FIXTURES) as started:
            yield started
    except NotStartedError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"aimock did not start: {error}")


@pytest.fixture(params=["chat", "responses"])
async def client(
    request: pytest.FixtureRequest, aimock: Aimock, connect: Connect
) -> AsyncIterator[ApiClient]:
    """A client that speaks the protocol of the parameter."""
    protocol = {"*": {"protocol": request.param}}
    yield connect(base_urls=(aimock.base_url,), key=SecretStr("k"), models=protocol)


@pytest.fixture
def plain(aimock: Aimock, connect: Connect) -> ApiClient:
    return connect(base_urls=(aimock.base_url,), key=SecretStr("k"))


async def test_an_answer(client: ApiClient) -> None:
    events = await ask(client, question(model="m"))
    assert words(events) == TEXT
    assert is_finished(events)


async def test_reasoning_is_told_apart(client: ApiClient) -> None:
    events = await ask(client, question(model="thinker"))
    assert (thoughts(events), words(events)) == ("Let me see.", TEXT)


async def test_a_tool_call(client: ApiClient) -> None:
    calls = [e for e in await ask(client, question(model="caller")) if isinstance(e, ToolCallDelta)]
    assert calls[0].name == "weather"
    assert "".join(call.arguments for call in calls).replace(" ", "") == '{"place":"Lima"}'


@pytest.mark.parametrize("model", ["torn", "lost"])
async def test_a_torn_answer_is_a_cut(client: ApiClient, model: str) -> None:
    events, error = await ask_badly(client, question(model=model))
    assert error.kind is Kind.CUT
    assert words(events)
    assert (TEXT * 9).startswith(words(events))
    assert not is_finished(events)


async def test_an_outage_is_told_after_some_tries(client: ApiClient) -> None:
    for model in ("broken", "gone"):
        _, error = await ask_badly(client, question(model=model))
        assert error.kind in (Kind.SERVER, Kind.UNREACHABLE)


async def test_passing_refusals_are_not_seen(plain: ApiClient, aimock: Aimock) -> None:
    assert words(await ask(plain, question(model="busy"))) == TEXT
    assert len(aimock.requests('"busy"')) == 3


async def test_a_picture_is_drawn_and_redrawn(plain: ApiClient, aimock: Aimock) -> None:
    order = ImageRequest(model="painter", prompt="a cat")
    edit = replace(order, images=(drawn(),), mask=drawn())
    for asked in (order, edit):
        (picture,) = (await plain.draw(asked)).pictures
        assert PNG.startswith(picture.data)


async def test_a_picture_is_asked_for_again_only_where_it_cannot_have_been_drawn(
    plain: ApiClient, aimock: Aimock
) -> None:
    order = ImageRequest(model="busy painter", prompt="a dog")
    assert (await plain.draw(order)).pictures
    with pytest.raises(ModelError, check=of(Kind.SERVER)):
        await plain.draw(replace(order, model="broken painter"))
    assert [len(aimock.requests(f"{model} painter")) for model in ("busy", "broken")] == [2, 1]


async def test_a_recording_is_written_down_in_spite_of_a_fault(plain: ApiClient) -> None:
    clip = AudioClip(name="a.ogg", mime="audio/ogg", data=b"OggS")
    asked = TranscriptionRequest(model="busy", clip=clip, timestamps=True)
    heard = await plain.transcribe(asked)
    assert (heard.text, heard.language, heard.seconds) == ("Hello world", "en", 2.5)
    assert heard.segments == (Segment(start=0.0, end=2.5, text="Hello world"),)


async def test_texts_are_embedded_in_spite_of_a_fault(plain: ApiClient) -> None:
    found = await plain.embed("busy", ("a", "b"))
    assert len(found.vectors) == 2
    assert found.vectors[0] != found.vectors[1]
    with pytest.raises(ModelError, check=of(Kind.BAD_REQUEST)):
        await plain.embed("wrong", ("a",))


async def test_the_models(plain: ApiClient) -> None:
    assert len(await plain.models()) > 1
