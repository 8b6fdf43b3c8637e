"""What is prepared is understood: real speech, through real recognition."""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from openai import AsyncOpenAI

from bot.core.recordings import AudioClip
from bot.media.audio import AudioPreparer
from bot.sandbox.openai import serve_local
from bot.sandbox.openai.local import SPEECH_MODEL
from tests.media.recordings import SPEECH, loaded, read, tone, write

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local() -> AsyncIterator[AsyncOpenAI]:
    async with serve_local() as url, AsyncOpenAI(base_url=url, api_key="none") as client:
        yield client


async def listen(local: AsyncOpenAI, clips: Sequence[AudioClip]) -> str:
    heard = [
        (await local.audio.transcriptions.create(model=SPEECH_MODEL, file=(clip.name, clip.data)))
        for clip in clips
    ]
    return " ".join(transcript.text for transcript in heard).lower()


def spoken() -> array[int]:
    return read(SPEECH, rate=48_000)


async def test_a_film_of_somebody_speaking_is_understood(
    local: AsyncOpenAI, tmp_path: Path
) -> None:
    film = write(tmp_path / "clip.mp4", spoken(), "aac", pictures=True)
    clips = loaded(
        await AudioPreparer().prepare(film, name="clip.mp4", max_bytes=25_000_000, folder=tmp_path)
    )
    text = await listen(local, clips)
    assert all(word in text for word in ("good morning", "train", "mountains", "camera"))


async def test_a_long_speech_is_understood_in_its_order_and_without_repetition(
    local: AsyncOpenAI, tmp_path: Path
) -> None:
    pause = tone(1, loud=0)
    film = write(tmp_path / "long.flac", spoken() + pause + spoken() + pause + spoken(), "flac")
    clips = loaded(
        await AudioPreparer(longest=9).prepare(film, name="", max_bytes=25_000_000, folder=tmp_path)
    )
    assert len(clips) == 3
    text = await listen(local, clips)
    assert [text.count(word) for word in ("good morning", "train", "camera")] == [3, 3, 3]
