"""Whatever a file has become on its way: it is used, or refused as what it is."""

from __future__ import annotations

import io
import random
import warnings
from pathlib import Path

import pytest
from PIL import Image

from bot.errors import MediaError
from bot.media.audio import AudioPreparer
from bot.media.image import fit_picture
from tests.media.recordings import tone, write


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with a few bytes changed, lost or set, mostly in its headers."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 3, 20))):
        at = chance.randrange(min(len(data), chance.choice((64, 400, len(data)))))
        match chance.randrange(3):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randrange(50)]
            case _:
                data[at : at + 4] = b"\xff\xff\xff\xff"
    return bytes(data)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("ogg", "libopus"), ("m4a", "aac"), ("mp3", "libmp3lame"), ("webm", "libopus")],
)
async def test_damaged_recordings(tmp_path: Path, suffix: str, codec: str) -> None:
    whole = write(tmp_path / f"a.{suffix}", tone(1), codec).read_bytes()
    path, outcomes = tmp_path / "damaged", set()
    for seed in range(25):
        path.write_bytes(damaged(whole, random.Random(seed)))
        try:
            clips = await AudioPreparer(most=60).prepare(
                path, name="", max_bytes=10_000_000, folder=tmp_path
            )
        except MediaError:
            outcomes.add("refused")
        else:
            outcomes.add("used")
            assert all(clip.path.stat().st_size and clip.seconds > 0 for clip in clips)
    assert outcomes == {"used", "refused"}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF"])
async def test_damaged_pictures(form: str) -> None:
    out = io.BytesIO()
    Image.effect_noise((40, 30), 50).convert("RGB").save(out, form)
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow comments on what it finds in the headers
        for seed in range(20):
            try:
                mime, data = await fit_picture(damaged(out.getvalue(), random.Random(seed)))
            except MediaError:
                refused += 1
            else:
                assert Image.MIME[Image.open(io.BytesIO(data)).format or ""] == mime
    assert refused > 0
