"""Speech to text, over real sockets."""

from __future__ import annotations

import re

import pytest

from bot.api.audio import LARGEST
from bot.api.client import ApiClient
from bot.core.chat import AudioClip, TranscriptionRequest
from bot.errors import ModelError, ModelErrorKind
from tests.api.wire_server import Reset, Script, WireServer, json_answer, refusal, whole

Kind = ModelErrorKind


def spoken(data: bytes = b"OggS...", **fields: object) -> TranscriptionRequest:
    clip = AudioClip(name="voice.ogg", mime="audio/ogg", data=data)
    values = {"model": "ears", "clip": clip, **fields}
    return TranscriptionRequest(**values)  # type: ignore[arg-type]  # the fields under test


async def test_the_clip_and_what_is_known_of_it_are_sent(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(*json_answer({"text": " Hello there. "}))
    assert await client.transcribe(spoken(language="en", temperature=0.0)) == "Hello there."
    sent = server.requests[0]
    assert sent.path == "/v1/audio/transcriptions"
    assert re.findall(rb'name="(\w+)"', sent.body) == [
        b"model",
        b"language",
        b"temperature",
        b"file",
    ]
    assert b'filename="voice.ogg"' in sent.body
    assert b"OggS..." in sent.body


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (json_answer({"text": ""}), ""),
        (json_answer({"text": "Hi", "segments": [], "language": "en"}), "Hi"),
        (whole(b"Hi there.\n", content_type="text/plain"), "Hi there."),
        (json_answer("Hi"), "Hi"),
    ],
)
async def test_every_form_of_an_answer_is_read(
    client: ApiClient, server: WireServer, answer: Script, text: str
) -> None:
    server.answer(*answer)
    assert await client.transcribe(spoken()) == text


async def test_a_lost_connection_is_tried_again_with_the_whole_clip(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(Reset())
    server.answer(*json_answer({"text": "Hi"}))
    assert await client.transcribe(spoken()) == "Hi"
    assert [b"OggS..." in request.body for request in server.requests] == [True, True]


async def test_the_same_clip_is_not_paid_for_twice(client: ApiClient, server: WireServer) -> None:
    server.answer(*json_answer({"text": "Hi"}))
    server.answer(*json_answer({"text": "Salut"}))
    assert [await client.transcribe(spoken()) for _ in range(2)] == ["Hi", "Hi"]
    assert await client.transcribe(spoken(language="fr")) == "Salut"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(400, "The audio file could not be decoded"), Kind.BAD_REQUEST),
        (json_answer({"error": {"message": "x", "code": "model_not_found"}}), Kind.MODEL_NOT_FOUND),
        (whole(b"<html>hello</html>", content_type="text/html"), Kind.BAD_ANSWER),
        (json_answer({"task": "transcribe"}), Kind.BAD_ANSWER),
    ],
)
async def test_what_is_no_transcript_is_an_error(
    client: ApiClient, server: WireServer, answer: Script, kind: ModelErrorKind
) -> None:
    server.always = answer
    with pytest.raises(ModelError) as caught:
        await client.transcribe(spoken())
    assert caught.value.kind is kind


async def test_what_is_too_large_is_refused_before_it_is_sent(
    client: ApiClient, server: WireServer
) -> None:
    with pytest.raises(ModelError) as caught:
        await client.transcribe(spoken(bytes(LARGEST + 1)))
    assert caught.value.kind is Kind.BAD_REQUEST
    assert "25 MB" in caught.value.detail
    assert server.requests == []
