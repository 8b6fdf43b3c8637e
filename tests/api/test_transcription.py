"""Speech to text, over real sockets."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from bot.api.client import ApiClient
from bot.api.transcriptions import LARGEST
from bot.core.models import UsageKind
from bot.core.recordings import AudioClip, Segment, TranscriptionRequest
from bot.errors import ModelError, ModelErrorKind
from tests.api.asking import of
from tests.api.conftest import Connect
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
    heard = await client.transcribe(spoken(language="en", temperature=0.0))
    assert heard.text == "Hello there."
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


async def test_a_long_recording_is_sent_whole(client: ApiClient, server: WireServer) -> None:
    """In pieces: aiohttp warns of what would hold everything up."""
    server.answer(*json_answer({"text": "Hello there."}))
    data = b"OggS" * 600_000
    await client.transcribe(spoken(data))
    assert data in server.requests[0].body


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (json_answer({"text": ""}), ""),
        (json_answer({"text": "Hi", "segments": [], "language": "en"}), "Hi"),
        (whole(b"Hi there.\n", content_type="text/plain"), "Hi there."),
        (json_answer("Hi"), "Hi"),
        (  # llama.cpp with Qwen's models
            json_answer(
                {"type": "transcript.text.done", "text": "language English<asr_text>Hi <b>"}
            ),
            "Hi <b>",
        ),
    ],
)
async def test_every_form_of_an_answer_is_read(
    client: ApiClient, server: WireServer, answer: Script, text: str
) -> None:
    server.answer(*answer)
    assert (await client.transcribe(spoken())).text == text


async def test_a_lost_connection_is_tried_again_with_the_whole_clip(
    client: ApiClient, server: WireServer
) -> None:
    server.answer(Reset())
    server.answer(*json_answer({"text": "Hi"}))
    assert (await client.transcribe(spoken())).text == "Hi"
    assert [b"OggS..." in request.body for request in server.requests] == [True, True]


async def test_the_same_clip_is_not_paid_for_twice(client: ApiClient, server: WireServer) -> None:
    server.answer(*json_answer({"text": "Hi"}))
    server.answer(*json_answer({"text": "Salut"}))
    first, second = [await client.transcribe(spoken()) for _ in range(2)]
    assert first.text == second.text == "Hi"
    assert first.usage is not None
    assert second.usage is None
    assert (await client.transcribe(spoken(language="fr"))).text == "Salut"


@pytest.mark.parametrize(
    "answer",
    [
        json_answer(
            {
                "text": "Good morning. Bye!",
                "language": "english",
                "duration": "61.5",
                "segments": [
                    {"start": 0.5, "end": 2, "text": " Good morning."},
                    {"start": 60.0, "end": 61.25, "text": "Bye!"},
                    {"start": None, "end": 1, "text": "lost"},
                ],
            }
        ),
        whole(
            b"1\r\n00:00:00,500 --> 00:00:02,000\r\nGood\r\nmorning.\r\n\r\n"
            b"2\r\n00:01:00,000 --> 00:01:01,250\r\nBye!\r\n\r\n",
            content_type="text/plain",
        ),
        whole(
            b"WEBVTT\n\n00:00.500 --> 00:02.000\nGood morning.\n\n"
            b"01:00.000 --> 01:01.250 align:left\nBye!\n",
            content_type="text/plain",
        ),
        json_answer(
            "1\n00:00:00,500 --> 00:00:02,000\nGood morning.\n\n"
            "2\n00:01:00,000 --> 00:01:01,250\nBye!\n"
        ),
    ],
)
async def test_times_are_read_from_every_form_that_has_them(
    client: ApiClient, server: WireServer, answer: Script
) -> None:
    server.answer(*answer)
    heard = await client.transcribe(spoken(timestamps=True))
    assert b"verbose_json" in server.requests[0].body
    assert heard.text == "Good morning. Bye!"
    assert heard.segments == (
        Segment(start=0.5, end=2.0, text="Good morning."),
        Segment(start=60.0, end=61.25, text="Bye!"),
    )


@pytest.mark.parametrize(
    "refused",
    [
        refusal(
            400,
            "response_format 'verbose_json' is not compatible with model 'ears'. Use 'json'.",
            code="unsupported_value",
            param="response_format",
        ),
        refusal(400, "Currently do not support verbose_json for Voxtral"),  # vLLM
        refusal(400, "Currently only support response_format `text` or `json`"),
        refusal(400, "Only 'json' response_format is supported for transcription"),  # llama.cpp
        refusal(  # LiteLLM, in front of it
            500,
            "litellm.BadRequestError: Hosted_vllmException - Currently only support "
            "response_format `text` or `json`. Received Model Group=ears",
        ),
    ],
)
async def test_a_model_that_gives_no_times_gives_its_text_and_is_not_asked_again(
    client: ApiClient, server: WireServer, refused: Script
) -> None:
    server.answer(*refused)
    server.answer(*json_answer({"text": "Hi"}))
    server.answer(*json_answer({"text": "Bye"}))
    assert (await client.transcribe(spoken(timestamps=True))).segments == ()
    await client.transcribe(spoken(b"OggS 2", timestamps=True))
    assert [b"verbose_json" in request.body for request in server.requests] == [True, False, False]


async def test_what_it_cost_is_told_with_the_real_length(
    connect: Connect, server: WireServer
) -> None:
    client = connect(models={"ears": {"minute_price": "0.006"}})
    server.answer(*json_answer({"text": "Hi", "usage": {"type": "duration", "seconds": 90}}))
    usage = (await client.transcribe(spoken())).usage
    assert usage is not None
    assert (usage.kind, usage.seconds, usage.cost) == (UsageKind.AUDIO, 90.0, Decimal("0.009"))
    assert usage.latency is not None
    server.answer(*json_answer({"text": "Ho", "usage": {"input_tokens": 9, "output_tokens": 2}}))
    usage = (await client.transcribe(spoken(b"OggS 2", prompt="Ho", response_format="json"))).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (9, 2)
    assert b'name="prompt"' in server.requests[1].body


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (spoken(b""), "empty"),
        (spoken(response_format="docx"), "response_format is one of"),
        (spoken(temperature=1.5), "temperature"),
    ],
)
async def test_what_cannot_succeed_is_not_sent(
    client: ApiClient, server: WireServer, asked: TranscriptionRequest, words: str
) -> None:
    with pytest.raises(ModelError) as caught:
        await client.transcribe(asked)
    assert caught.value.kind is Kind.BAD_REQUEST
    assert words in caught.value.detail
    assert server.requests == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal(400, "The audio file could not be decoded"), Kind.BAD_REQUEST),
        (json_answer({"error": {"message": "x", "code": "model_not_found"}}), Kind.MODEL_NOT_FOUND),
        (whole(b"<html>hello</html>", content_type="text/html"), Kind.BAD_ANSWER),
        (json_answer({"task": "transcribe"}), Kind.BAD_ANSWER),
        (whole(b'{"text":' * 100_000), Kind.BAD_ANSWER),
    ],
)
async def test_what_is_no_transcript_is_an_error(
    client: ApiClient, server: WireServer, answer: Script, kind: ModelErrorKind
) -> None:
    server.always = answer
    with pytest.raises(ModelError, check=of(kind)):
        await client.transcribe(spoken())


async def test_what_is_too_large_is_refused_before_it_is_sent(
    client: ApiClient, server: WireServer
) -> None:
    with pytest.raises(ModelError) as caught:
        await client.transcribe(spoken(bytes(LARGEST + 1)))
    assert caught.value.kind is Kind.BAD_REQUEST
    assert "25 MB" in caught.value.detail
    assert server.requests == []
