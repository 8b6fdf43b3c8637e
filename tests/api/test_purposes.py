"""Which models surely cannot answer in words, by their names and by what a list tells."""

from __future__ import annotations

import pytest

from bot.core.models import Purpose
from tests.api.conftest import Connect
from tests.api.wire_server import WireServer, json_answer

WORDLESS = {
    "dall-e-3": Purpose.DRAWING,
    "gpt-image-1-mini": Purpose.DRAWING,
    "openai/gpt-image-1": Purpose.DRAWING,
    "imagen-4.0-generate-001": Purpose.DRAWING,
    "black-forest-labs/FLUX.1-schnell": Purpose.DRAWING,
    "whisper-1": Purpose.LISTENING,
    "openai/whisper-large-v3": Purpose.LISTENING,
    "gpt-4o-mini-transcribe": Purpose.LISTENING,
    "gpt-4o-transcribe-diarize": Purpose.LISTENING,
    "tts-1-hd": Purpose.SPEAKING,
    "gpt-4o-mini-tts": Purpose.SPEAKING,
    "text-embedding-3-small": Purpose.EMBEDDING,
    "nomic-embed-text:latest": Purpose.EMBEDDING,
    "omni-moderation-latest": Purpose.OTHER,
    "sora-2": Purpose.OTHER,
}
MAY_ANSWER = (
    *("gpt-4o", "o3-mini", "chatgpt-4o-latest", "gpt-3.5-turbo-instruct", "gpt-4o-audio-preview"),
    *("gemini-2.5-flash-image", "gpt-4o-image", "openai/gpt-5-image", "qwen2.5-vl"),
    *("stable-diffusion-prompt-generator", "horse-whisperer-7b", "whisper-chat", "httts", "soraya"),
)


@pytest.mark.parametrize(("model", "purpose"), WORDLESS.items())
async def test_the_name_tells_what_else_a_model_is_for(
    connect: Connect, server: WireServer, model: str, purpose: Purpose
) -> None:
    server.always = json_answer({"data": [{"id": model}]})
    assert [info.purpose for info in await connect().models()] == [purpose]


@pytest.mark.parametrize("model", MAY_ANSWER)
async def test_a_name_that_tells_nothing_for_sure_may_answer(
    connect: Connect, server: WireServer, model: str
) -> None:
    server.always = json_answer({"data": [{"id": model}]})
    assert [info.purpose for info in await connect().models()] == [None]


@pytest.mark.parametrize(
    ("model", "given", "purpose"),
    [
        ("seedream", ["image"], Purpose.DRAWING),
        ("lyria", ["audio"], Purpose.SPEAKING),
        ("bge-m3", ["embeddings"], Purpose.EMBEDDING),
        ("veo", ["video"], Purpose.OTHER),
        ("gpt-image-2", ["text", "image"], None),
        ("whisper-1", ["text"], Purpose.LISTENING),
        ("anything", [], None),
        ("anything", "image", None),
        ("anything", [{"odd": 1}, "text"], None),
    ],
)
async def test_what_a_list_tells_of_the_answers_counts(
    connect: Connect, server: WireServer, model: str, given: object, purpose: Purpose | None
) -> None:
    design = {"output_modalities": given}
    server.always = json_answer({"data": [{"id": model, "architecture": design}]})
    assert [info.purpose for info in await connect().models()] == [purpose]
