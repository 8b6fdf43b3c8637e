"""Makes pictures fit for a model that sees: checked, upright, no larger than it looks at."""

from __future__ import annotations

import asyncio
import io
import struct

from PIL import Image, ImageOps

from bot.errors import MediaError, MediaErrorKind

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "AVIF")
_SHARP = ("PNG", "GIF", "BMP")  # screenshots and drawings: letters suffer as JPEG
_MIXABLE = ("L", "RGB", "RGBA")
"""Modes whose values are shades: those of the others must be converted before they are mixed."""
_MAX_PNG = 1_500_000  # bytes, past which a PNG is a photograph after all
_QUALITY = 88
# What Pillow's decoders raise on damaged data, found by feeding them such.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, LookupError, RuntimeError, struct.error)


async def fit_picture(
    data: bytes, *, max_side: int = 1568, max_pixels_in: int = 50_000_000
) -> tuple[str, bytes]:
    """The picture as JPEG or PNG with sides up to `max_side`, as `(mime, data)`.

    Turned upright and without its metadata (which may tell where it was taken). 1568 is the side
    beyond which models scale down by themselves. Raises `MediaError`: empty, not an image, or
    more than `max_pixels_in` pixels, which is found out before they are decoded.
    """
    return await asyncio.to_thread(_fit, data, max_side, max_pixels_in)


def _fit(data: bytes, max_side: int, max_pixels_in: int) -> tuple[str, bytes]:
    if not data:
        raise MediaError(MediaErrorKind.EMPTY)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            if image.width * image.height > max_pixels_in:
                raise MediaError(MediaErrorKind.TOO_LARGE, f"{image.width}×{image.height} pixels")
            image.draft("RGB", (max_side, max_side))
            sharp = image.format in _SHARP
            return _encoded(_reduced(image, max_side), sharp=sharp)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise MediaError(MediaErrorKind.TOO_LARGE, "too many pixels") from error
    except _DAMAGED as error:
        raise MediaError(MediaErrorKind.NOT_IMAGE) from error


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
