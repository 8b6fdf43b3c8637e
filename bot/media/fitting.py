"""Fits one picture for a model that sees; also as a process: `python -m bot.media.fitting ORDER`.

ORDER is JSON: the file that is `given`, the one to be `made`, the longest `side`, and the limits of
the process. The answer, in JSON, stands on standard output.
"""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from bot.errors import MediaError, MediaErrorKind
from bot.media.bounds import carry_out

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
_SHARP = ("PNG", "GIF", "BMP")  # screenshots and drawings: letters suffer as JPEG
_MIXABLE = ("L", "RGB", "RGBA")
"""Modes whose values are shades: those of the others must be converted before they are mixed."""
_MAX_PNG = 1_500_000  # bytes, past which a PNG is a photograph after all
_QUALITY = 88
# What Pillow's decoders raise on damaged data, found by feeding them such.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, LookupError, RuntimeError, struct.error)
# What the bot itself decodes; a photo from a phone is among it, a screenshot, what Telegram sends.
_FEW_PIXELS = {"JPEG": 16_000_000, "PNG": 4_000_000, "GIF": 4_000_000, "WEBP": 4_000_000}
_SCAN = b"\xff\xda"
_FEW_SCANS = 100
"""Each scan of a JPEG goes through all of its pixels again, and may be 75 bytes long."""


def fit(
    data: bytes, max_side: int, max_pixels_in: int, *, only_quick: bool
) -> tuple[str, bytes] | None:
    """The picture with sides up to `max_side`, as `(mime, data)`.

    None where it is not quickly done, and `only_quick` shall be done. Raises `MediaError`.
    """
    if not data:
        raise MediaError(MediaErrorKind.EMPTY)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > max_pixels_in:
                raise MediaError(MediaErrorKind.TOO_LARGE, f"{image.width}×{image.height} pixels")
            if only_quick and not _is_quick(image, data):
                return None
            image.draft("RGB", (max_side, max_side))
            sharp = image.format in _SHARP
            return _encoded(_reduced(image, max_side), sharp=sharp)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise MediaError(MediaErrorKind.TOO_LARGE, "too many pixels") from error
    except _DAMAGED as error:
        raise MediaError(MediaErrorKind.NOT_IMAGE) from error


def _is_quick(image: Image.Image, data: bytes) -> bool:
    is_small = image.width * image.height <= _FEW_PIXELS.get(image.format or "", 0)
    return is_small and (image.format != "JPEG" or data.count(_SCAN) <= _FEW_SCANS)


def _reduced(image: Image.Image, max_side: int) -> Image.Image:
    """Scaled down first where that can be: every copy of the whole takes hundreds of megabytes."""
    if image.mode in _MIXABLE and "transparency" not in image.info:
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):  # 16 bits and more
        upright = upright.point(lambda value: value * (1 / 256)).convert("L")
    see_through = upright.has_transparency_data
    plain = upright.convert("RGBA" if see_through else "RGB")
    plain.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return plain


def _encoded(image: Image.Image, *, sharp: bool) -> tuple[str, bytes]:
    if sharp or image.mode == "RGBA":
        out = io.BytesIO()
        image.save(out, "PNG")
        if out.tell() <= _MAX_PNG:
            return "image/png", out.getvalue()
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image if image.mode == "RGBA" else None)
        image = paper
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return "image/jpeg", out.getvalue()


def _fit_file(order: dict[str, Any]) -> dict[str, object]:
    """Fit the picture that the order names; say its type."""
    data = Path(order["given"]).read_bytes()
    fitted = fit(data, order["side"], sys.maxsize, only_quick=False)
    assert fitted is not None
    Path(order["made"]).write_bytes(fitted[1])
    return {"mime": fitted[0]}


if __name__ == "__main__":
    carry_out(sys.argv[1], _fit_file)
