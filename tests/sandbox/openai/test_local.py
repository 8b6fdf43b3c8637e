"""The API with real models behind it; one server for all, because they take a second to load."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from openai import AsyncOpenAI, BadRequestError, NotFoundError
from openai.types.chat import ChatCompletionMessageParam
from PIL import Image

from bot.errors import ConfigError
from bot.sandbox.openai import serve_local
from bot.sandbox.openai.local import IMAGE_MODEL, SPEECH_MODEL, TEXT_MODEL
from tests.patience import PATIENCE
from tests.sounds import beeps

pytestmark = pytest.mark.asyncio(loop_scope="module")

SPEECH = Path(__file__).parents[2] / "data" / "good-morning.ogg"
STORY: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "Tell me a very long story about a cat, with many chapters."}
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local() -> AsyncIterator[AsyncOpenAI]:
    async with (
        serve_local() as url,
        AsyncOpenAI(
            base_url=url, api_key="none is asked for", max_retries=0, timeout=PATIENCE
        ) as client,
    ):
        yield client


async def test_three_models_are_listed_with_the_window_of_the_talking_one(
    local: AsyncOpenAI,
) -> None:
    models = [model async for model in local.models.list()]
    assert [model.id for model in models] == [TEXT_MODEL, SPEECH_MODEL, IMAGE_MODEL]
    assert getattr(models[0], "context_length", None) == 4096


async def test_an_answer_is_written_while_one_watches(
    local: AsyncOpenAI, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = await local.chat.completions.create(
        model=TEXT_MODEL,
        messages=[{"role": "user", "content": "Name three colours."}],
        max_tokens=40,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    said = [piece for piece in pieces if piece]
    assert len(said) > 3
    assert any(letter.isalpha() for letter in "".join(said))
    assert chunks[-2].choices[0].finish_reason in ("stop", "length")
    assert chunks[-1].usage is not None
    assert len(said) <= chunks[-1].usage.completion_tokens <= 40
    assert capfd.readouterr() == ("", "")  # a terminal UI may own the screen


async def test_an_answer_ends_at_its_limit_or_at_a_stop_word(local: AsyncOpenAI) -> None:
    short = await local.chat.completions.create(model=TEXT_MODEL, messages=STORY, max_tokens=5)
    assert short.choices[0].finish_reason == "length"
    stopped = await local.completions.create(
        model=TEXT_MODEL, prompt="1, 2, 3, 4, 5, 6,", stop="9", temperature=0, max_tokens=30
    )
    assert stopped.choices[0].finish_reason == "stop"
    assert stopped.choices[0].text.strip() == "7, 8,"


async def test_the_responses_endpoint_speaks_too(local: AsyncOpenAI) -> None:
    answer = await local.responses.create(model=TEXT_MODEL, input="Hello!", max_output_tokens=16)
    assert answer.output_text
    assert answer.usage is not None
    assert answer.usage.input_tokens > 0


async def test_more_than_the_window_holds_is_refused(local: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError, match="maximum context length is 4096 tokens") as refused:
        await local.chat.completions.create(
            model=TEXT_MODEL, messages=[{"role": "user", "content": "word " * 5000}]
        )
    assert refused.value.code == "context_length_exceeded"


async def test_several_questions_at_once_are_all_answered(local: AsyncOpenAI) -> None:
    answers = await asyncio.gather(
        *(
            local.chat.completions.create(model=TEXT_MODEL, messages=STORY, max_tokens=10)
            for _ in range(5)
        )
    )
    assert all(answer.choices[0].message.content for answer in answers)


async def test_nobody_writes_on_for_a_client_that_went_away(local: AsyncOpenAI) -> None:
    for _ in range(4):  # more than are written at a time; whole they would take a minute
        stream = await local.chat.completions.create(
            model=TEXT_MODEL, messages=STORY, max_tokens=1024, stream=True
        )
        await anext(aiter(stream))
        await stream.close()
    async with asyncio.timeout(PATIENCE):
        await local.chat.completions.create(model=TEXT_MODEL, messages=STORY, max_tokens=1)


async def test_signals_still_reach_the_program(local: AsyncOpenAI) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, asked.set)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
    answer = await local.completions.create(model=TEXT_MODEL, prompt="Once", max_tokens=1)
    assert answer.choices


async def test_speech_is_written_down(local: AsyncOpenAI) -> None:
    heard = await local.audio.transcriptions.create(
        model=SPEECH_MODEL, file=SPEECH, response_format="verbose_json"
    )
    words = heard.text.lower()
    assert all(word in words for word in ("good morning", "train", "mountains", "camera"))
    assert heard.duration == pytest.approx(6.6, abs=0.1)


async def test_silence_is_heard_as_nothing(local: AsyncOpenAI) -> None:
    clip = ("silence.wav", beeps(2, loud=0))
    assert (await local.audio.transcriptions.create(model=SPEECH_MODEL, file=clip)).text == ""


@pytest.mark.parametrize("content", [b"hello world" * 100, SPEECH.read_bytes()[:60]])
async def test_a_damaged_recording_is_refused(local: AsyncOpenAI, content: bytes) -> None:
    with pytest.raises(BadRequestError, match="could not be decoded"):
        await local.audio.transcriptions.create(model=SPEECH_MODEL, file=("a.ogg", content))


async def test_a_drawing_says_that_it_is_none(local: AsyncOpenAI) -> None:
    async def draw(prompt: str) -> bytes:
        answer = await local.images.generate(model=IMAGE_MODEL, prompt=prompt, size="1792x1024")
        assert answer.data is not None
        assert "no image model" in (answer.data[0].revised_prompt or "")
        return base64.b64decode(answer.data[0].b64_json or "")

    cat, again, chinese = await draw("a cat"), await draw("a cat"), await draw("一只猫")
    assert Image.open(io.BytesIO(cat)).size == (1792, 1024)
    assert cat == again != chinese


async def test_a_picture_to_edit_is_hung_on_the_card(local: AsyncOpenAI) -> None:
    red = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(red, "PNG")
    answer = await local.images.edit(
        model=IMAGE_MODEL, image=("red.png", red.getvalue()), prompt="add a hat", size="512x512"
    )
    assert answer.data is not None
    card = Image.open(io.BytesIO(base64.b64decode(answer.data[0].b64_json or "")))
    assert card.getpixel((256, 120)) == (255, 0, 0)
    with pytest.raises(BadRequestError, match="Invalid image file"):
        await local.images.edit(
            model=IMAGE_MODEL, image=("red.png", red.getvalue()[:60]), prompt="add a hat"
        )


async def test_what_no_local_model_does_is_refused(local: AsyncOpenAI) -> None:
    with pytest.raises(NotFoundError):
        await local.embeddings.create(model=TEXT_MODEL, input="Hello")


async def test_without_the_packages_the_operator_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)  # as if it were not installed
    with pytest.raises(ConfigError, match=r"xllamacpp.*pip install 'chinwag\[local\]'"):
        async with serve_local():
            pass
