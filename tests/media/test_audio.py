"""Recordings of every kind become clips that the API takes."""

from __future__ import annotations

import asyncio
import random
import struct
from array import array
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from bot.core.recordings import AudioClip
from bot.errors import MediaError, MediaErrorKind
from bot.media.audio import AudioPreparer
from tests.media.recordings import RATE, SPEECH, joined, loaded, pitch, read, tone, write
from tests.sounds import beeps

MEGABYTES = 1024 * 1024


async def prepare(
    path: Path,
    *,
    name: str = "voice",
    max_bytes: int = 25 * MEGABYTES,
    longest: float = 1200,
    most: float = 14_400,
) -> list[AudioClip]:
    tools = AudioPreparer(longest=longest, most=most)
    folder = path.parent / "clips"
    folder.mkdir(exist_ok=True)
    return loaded(await tools.prepare(path, name=name, max_bytes=max_bytes, folder=folder))


async def refusal(path: Path, **options: float) -> MediaErrorKind:
    with pytest.raises(MediaError) as refused:
        await prepare(path, most=options.get("most", 14_400))
    return refused.value.kind


@pytest.mark.parametrize(
    ("suffix", "codec", "mime"),
    [
        ("ogg", "libopus", "audio/ogg"),
        ("m4a", "aac", "audio/mp4"),
        ("mp3", "libmp3lame", "audio/mpeg"),
        ("wav", "pcm_s16le", "audio/wav"),
        ("webm", "libopus", "audio/webm"),
        ("flac", "flac", "audio/flac"),
    ],
)
async def test_what_the_api_takes_passes_as_it_is_under_its_real_name(
    tmp_path: Path, suffix: str, codec: str, mime: str
) -> None:
    made = write(tmp_path / f"a.{suffix}", tone(2), codec)
    lying = made.rename(tmp_path / "a.pdf")
    (clip,) = await prepare(lying, name="../../My notes!.pdf")
    assert (clip.name, clip.mime) == (f"My-notes.{suffix}", mime)
    assert clip.data == lying.read_bytes()
    assert clip.seconds == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    ("suffix", "codec", "form"),
    [
        ("aiff", "pcm_s16be", None),
        ("mkv", "libopus", None),
        ("mov", "aac", None),
        ("aac", "aac", None),
        ("caf", "pcm_s16le", None),
        ("oga", "flac", "ogg"),
    ],
)
async def test_anything_else_is_converted(
    tmp_path: Path, suffix: str, codec: str, form: str | None
) -> None:
    path = write(tmp_path / f"a.{suffix}", tone(2), codec, form=form)
    clips = await prepare(path)
    assert [(clip.name, clip.mime) for clip in clips] == [("voice.ogg", "audio/ogg")]
    heard = joined(clips, tmp_path)
    assert len(heard) / 16_000 == pytest.approx(2, abs=0.1)
    assert pitch(heard[8_000:24_000]) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("suffix", ["mp4", "webm", "mov"])
async def test_of_a_film_only_the_sound_is_taken(tmp_path: Path, suffix: str) -> None:
    sound = "libopus" if suffix == "webm" else "aac"
    form = "matroska" if suffix == "webm" else None
    path = write(tmp_path / f"film.{suffix}", tone(3), sound, form=form, pictures=True)
    clips = await prepare(path)
    assert [clip.name for clip in clips] == ["voice.ogg"]
    assert pitch(joined(clips, tmp_path)[16_000:32_000]) == pytest.approx(440, abs=5)


async def test_a_file_past_the_limit_is_made_smaller(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(20), "pcm_s16le")
    (clip,) = await prepare(path, max_bytes=MEGABYTES)
    assert path.stat().st_size > MEGABYTES > len(clip.data)
    assert clip.seconds == pytest.approx(20)


async def test_a_long_recording_is_split_in_its_pauses_and_joins_without_a_seam(
    tmp_path: Path,
) -> None:
    whole = array("h")  # every second has its own pitch; pauses of 0.4 s at 8.1, 16.2 and 24.3 s
    for second in range(34):
        whole += tone(1, 300 + 20 * second)
    for pause in (8.1, 16.2, 24.3):
        start = int(pause * 48_000)
        whole[start : start + 19_200] = tone(0.4, loud=0)
    path = write(tmp_path / "long.flac", whole, "flac")
    clips = await prepare(path, longest=10)

    assert [clip.name for clip in clips] == [f"voice-{n}.ogg" for n in (1, 2, 3, 4)]
    assert all(clip.seconds <= 10 for clip in clips)
    ends = [sum(clip.seconds for clip in clips[:n]) for n in (1, 2, 3)]
    assert ends == [pytest.approx(pause + 0.2, abs=0.1) for pause in (8.1, 16.2, 24.3)]

    heard, meant = joined(clips, tmp_path), read(path)
    assert len(heard) == pytest.approx(len(meant), abs=160)  # 10 ms
    for second in range(34):
        if second not in (8, 16, 24):
            middle = slice(second * 16_000 + 1_600, second * 16_000 + 14_400)
            assert pitch(heard[middle]) == pytest.approx(300 + 20 * second, abs=8)


async def test_a_recording_without_a_pause_is_split_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "tone.ogg", tone(25))
    clips = await prepare(path, longest=10)
    assert [clip.seconds <= 10 for clip in clips] == [True] * 3
    assert sum(clip.seconds for clip in clips) == pytest.approx(25, abs=0.01)


async def test_clips_are_as_small_as_the_api_wants_them(tmp_path: Path) -> None:
    path = write(tmp_path / "tone.wav", tone(30), "pcm_s16le")
    clips = await prepare(path, max_bytes=30_000)
    assert len(clips) > 1
    assert all(len(clip.data) <= 30_000 for clip in clips)
    assert sum(clip.seconds for clip in clips) == pytest.approx(30, abs=0.01)


async def test_an_empty_file_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.ogg"
    path.touch()
    assert await refusal(path) is MediaErrorKind.EMPTY


@pytest.mark.parametrize(
    "content",
    [
        b"Dear diary, today was a good day.\n" * 50,
        b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n" + str(SPEECH).encode() + b"\n",
        f"ffconcat version 1.0\nfile '{SPEECH}'\n".encode(),
        random.Random(7).randbytes(50_000),
        b"OggS" + bytes(1000),
        SPEECH.read_bytes()[:60],
        beeps(1)[:44],
    ],
    ids=["text", "playlist", "list of files", "noise", "zeros", "only a header", "empty wave"],
)
async def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.ogg"
    path.write_bytes(content)
    assert await refusal(path) is MediaErrorKind.NOT_AUDIO


async def test_a_film_without_sound_is_no_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "mute.mp4", tone(2), None, pictures=True)
    assert await refusal(path) is MediaErrorKind.NOT_AUDIO


async def test_a_recording_cut_short_on_its_way_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.ogg"
    path.write_bytes(SPEECH.read_bytes()[:12_000])
    (clip,) = await prepare(path)
    assert 2 < clip.seconds < 6


async def test_an_m4a_that_lost_its_index_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.m4a", tone(3), "aac")
    path.write_bytes(path.read_bytes()[:8_000])
    assert await refusal(path) is MediaErrorKind.NOT_AUDIO


async def test_a_recording_damaged_in_its_middle_is_mended(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", tone(5), "libmp3lame")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 4_000] = random.Random(1).randbytes(4_000)
    path.write_bytes(content)
    clips = await prepare(path)
    assert [clip.name for clip in clips] == ["voice.ogg"]  # not handed on as it is
    assert 3 < len(joined(clips, tmp_path)) / 16_000 < 5.1


@pytest.mark.parametrize("loud", [0, 0.001])
async def test_silence_is_told_apart(tmp_path: Path, loud: float) -> None:
    path = write(tmp_path / "a.ogg", tone(3, loud=loud))
    assert await refusal(path) is MediaErrorKind.SILENT


async def test_a_whisper_is_not_silence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ogg", tone(3, loud=0) + tone(0.3, loud=0.01) + tone(3, loud=0))
    assert len(await prepare(path)) == 1


async def test_a_recording_of_days_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ogg", tone(8))
    assert await refusal(path, most=5) is MediaErrorKind.TOO_LONG


def rich(path: Path, seconds: int) -> Path:
    """Silence in eight channels at the highest rate: some 400 bytes a second, 3 million samples."""
    layout, rate, size = "7.1", 384_000, 65_535
    frame = AudioFrame(format="s16", layout=layout, samples=size)
    frame.sample_rate = rate
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    with av.open(str(path), "w") as container:
        options = {"strict": "-2", "compression_level": "0", "frame_size": str(size)}
        sound = container.add_stream("flac", rate=rate, layout=layout, options=options)
        assert isinstance(sound, AudioStream)
        for frame.pts in range(0, rate * seconds, size):
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


async def test_a_small_file_of_more_samples_than_hours_of_a_film_have_is_refused(
    tmp_path: Path,
) -> None:
    path = rich(tmp_path / "a.flac", 10)
    assert path.stat().st_size < 20_000
    assert await refusal(path, most=20) is MediaErrorKind.TOO_LONG  # of four hours: ten minutes
    assert await refusal(path, most=200) is MediaErrorKind.SILENT


async def test_many_recordings_leave_threads_for_everything_else(tmp_path: Path) -> None:
    path, tools = write(tmp_path / "a.wav", tone(20), "pcm_s16le"), AudioPreparer()
    with ThreadPoolExecutor(3) as threads:
        asyncio.get_running_loop().set_default_executor(threads)
        works = [
            asyncio.create_task(
                tools.prepare(path, name="a.wav", max_bytes=25_000_000, folder=tmp_path)
            )
            for _ in range(6)
        ]
        for _ in range(3):
            await asyncio.to_thread(int)
        assert sum(work.done() for work in works) < 3
        await asyncio.gather(*works)


async def test_a_voice_message_does_not_wait_for_lectures(tmp_path: Path) -> None:
    tools, noise = AudioPreparer(), array("h", [9_000, -9_000]) * (RATE * 60)
    lecture = write(tmp_path / "lecture.wav", noise, "pcm_s16le")
    voice = write(tmp_path / "voice.ogg", tone(1))

    async def listen(path: Path) -> None:
        await tools.prepare(path, name=path.name, max_bytes=25 * MEGABYTES, folder=tmp_path)

    lectures = [asyncio.create_task(listen(lecture)) for _ in range(4)]
    await asyncio.to_thread(int)
    await listen(voice)
    assert not any(each.done() for each in lectures)
    await asyncio.gather(*lectures)


async def test_of_a_file_with_two_tracks_the_one_is_sent_that_was_measured(tmp_path: Path) -> None:
    path = write(tmp_path / "a.m4a", tone(3), "aac", beside=tone(30))
    (clip,) = await prepare(path)
    assert (clip.name, round(clip.seconds)) == ("voice.ogg", 3)


async def test_an_absurd_sample_rate_is_refused(tmp_path: Path) -> None:
    wave = bytearray(beeps(1))
    struct.pack_into("<II", wave, 24, 1, 2)  # one sample per second
    path = tmp_path / "a.wav"
    path.write_bytes(wave)
    assert await refusal(path) is MediaErrorKind.NOT_AUDIO


async def test_a_limit_that_no_clip_can_keep_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", tone(2), "pcm_s16le")
    with pytest.raises(MediaError) as refused:
        await prepare(path, max_bytes=1_000)
    assert refused.value.kind is MediaErrorKind.TOO_LARGE
