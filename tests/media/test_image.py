"""Pictures of every kind become what a model that sees can take."""

from __future__ import annotations

import asyncio
import io
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from bot.errors import MediaError, MediaErrorKind
from bot.media.image import fit_picture
from tests.patience import PATIENCE


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def shown(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


async def refusal(data: bytes, **limits: int) -> MediaErrorKind:
    with pytest.raises(MediaError) as refused:
        await fit_picture(data, **limits)  # type: ignore[arg-type]  # any limit
    return refused.value.kind


@pytest.mark.parametrize(
    ("form", "mime"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("GIF", "image/png"),
        ("WEBP", "image/jpeg"),
        ("BMP", "image/png"),
        ("TIFF", "image/jpeg"),
        ("AVIF", "image/jpeg"),
    ],
)
async def test_every_common_format_becomes_jpeg_or_png(form: str, mime: str) -> None:
    became, data = await fit_picture(saved(Image.new("RGB", (40, 20), "red"), form))
    assert became == mime
    assert Image.MIME[shown(data).format or ""] == mime
    assert shown(data).size == (40, 20)
    red, green, blue = shown(data).convert("RGB").getpixel((5, 5))  # type: ignore[misc]  # RGB
    assert red > 240 > 15 > max(green, blue)


async def test_a_large_picture_is_made_as_small_as_the_model_looks_at_it() -> None:
    _, data = await fit_picture(saved(Image.new("RGB", (4000, 1000)), "JPEG"))
    assert shown(data).size == (1568, 392)


async def test_a_small_picture_keeps_its_size() -> None:
    _, data = await fit_picture(saved(Image.new("RGB", (1, 1)), "PNG"))
    assert shown(data).size == (1, 1)


async def test_a_photo_taken_sideways_is_turned_upright_and_loses_its_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: to be turned by a quarter
    exif[0x010F] = "A camera"
    _, data = await fit_picture(saved(Image.new("RGB", (60, 40)), "JPEG", exif=exif))
    assert shown(data).size == (40, 60)
    assert not shown(data).getexif()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "RGBA"])
async def test_every_colour_mode_is_understood(mode: str) -> None:
    form = "TIFF" if mode == "CMYK" else "PNG"
    mime, data = await fit_picture(saved(Image.new(mode, (10, 10)), form))
    assert mime in ("image/png", "image/jpeg")
    assert shown(data).mode in ("RGB", "RGBA")


async def test_transparency_is_kept() -> None:
    mime, data = await fit_picture(saved(Image.new("RGBA", (10, 10), (255, 0, 0, 0)), "WEBP"))
    assert mime == "image/png"
    assert shown(data).getchannel("A").getextrema() == (0, 0)


async def test_a_photograph_saved_as_png_becomes_a_jpeg() -> None:
    noise = Image.effect_noise((1200, 1200), 90).convert("RGB")
    mime, data = await fit_picture(saved(noise, "PNG"))
    assert mime == "image/jpeg"
    assert len(data) < 1_500_000


async def test_of_an_animation_the_first_picture_is_taken() -> None:
    frames = [Image.new("P", (8, 8), colour) for colour in (1, 2)]
    animation = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert shown((await fit_picture(animation))[1]).size == (8, 8)


async def test_an_empty_file_is_told_apart() -> None:
    assert await refusal(b"") is MediaErrorKind.EMPTY


@pytest.mark.parametrize(
    "data",
    [
        b"Dear diary",
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        saved(Image.new("RGB", (500, 500), "red"), "JPEG")[:400],
        saved(Image.effect_noise((50, 50), 50), "PNG")[:900],
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ],
    ids=["text", "broken header", "cut jpeg", "cut png", "postscript"],
)
async def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert await refusal(data) is MediaErrorKind.NOT_IMAGE


def bomb(side: int) -> bytes:
    """A PNG that claims `side` × `side` pixels in a hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [8_000, 11_000, 60_000])
async def test_a_picture_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    assert await refusal(bomb(side)) is MediaErrorKind.TOO_LARGE


async def test_the_limit_of_pixels_can_be_set() -> None:
    picture = saved(Image.new("RGB", (100, 100)), "PNG")
    assert await refusal(picture, max_pixels_in=9_999) is MediaErrorKind.TOO_LARGE
    assert (await fit_picture(picture, max_pixels_in=10_000))[0] == "image/png"


def many_scans(side: int, scans: int) -> bytes:
    """A JPEG that goes through its pixels again and again; each time takes 75 bytes or less."""
    data = saved(Image.new("RGB", (side, side), "red"), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * scans + data[-2:]


async def test_a_picture_whose_pixels_are_gone_through_thousands_of_times_is_given_up() -> None:
    picture = many_scans(4000, 20_000)
    assert len(picture) < 1_000_000
    began = time.monotonic()
    assert await refusal(picture, seconds=1) is MediaErrorKind.TOO_LARGE
    assert time.monotonic() - began < 20  # it takes minutes


async def test_a_photo_does_not_wait_for_pictures_that_take_long() -> None:
    quick, apart = asyncio.Semaphore(1), asyncio.Semaphore(0)  # enough of them are worked on
    slow = asyncio.create_task(fit_picture(many_scans(4000, 200), quick=quick, apart=apart))
    async with asyncio.timeout(PATIENCE):
        await fit_picture(saved(Image.new("RGB", (1, 1)), "JPEG"), quick=quick, apart=apart)
        apart.release()
        assert (await slow)[0] == "image/jpeg"


async def test_a_photo_that_becomes_clear_step_by_step_is_read() -> None:
    mime, data = await fit_picture(many_scans(400, 3))
    assert (mime, shown(data).size) == ("image/jpeg", (400, 400))


PEAK = """
import asyncio, pathlib, re, sys
from bot.media.image import fit_picture
data = pathlib.Path(sys.argv[1]).read_bytes()
mime, _ = asyncio.run(fit_picture(data))
print(mime, re.search("VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak")
@pytest.mark.parametrize("mode", ["RGBA", "P", "I;16"])
def test_a_small_file_with_many_pixels_does_not_fill_the_memory_of_the_bot(
    tmp_path: Path, mode: str
) -> None:
    picture = tmp_path / "picture.png"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    options: dict[str, object] = {"transparency": 0} if mode == "P" else {}
    picture.write_bytes(saved(Image.new(mode, (7000, 7000)), "PNG", exif=exif, **options))
    child = [sys.executable, "-c", PEAK, str(picture)]
    done = subprocess.run(child, check=True, capture_output=True, text=True)
    mime, kilobytes = done.stdout.split()
    assert mime == "image/png"
    assert int(kilobytes) < 100_000
