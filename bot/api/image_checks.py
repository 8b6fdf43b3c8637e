"""What can be known to be wrong with a picture's order before it costs money."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO

from bot.api.failures.errors import CallFailed
from bot.api.protocols.pictures import mime_of
from bot.core.chat import ImagePart
from bot.core.images import ImageRequest, VariationRequest
from bot.core.models import ModelInfo
from bot.errors import ModelErrorKind

PICTURES = 10
"""Pictures in one request (OpenAI API reference, "Create image")."""
SOURCES = 16
SOURCE_BYTES = 50_000_000
"""Pictures to be redrawn, and the size of each (the same, "Create image edit")."""
PROMPT = 32_000
_SIZE = re.compile(r"auto|\d{2,5}x\d{2,5}|\d{1,2}:\d{1,2}|[1-8]K")
"""Pixels, and what other vendors take: an aspect, a resolution."""
_RESOLUTION = re.compile(r"[1-8]k", re.IGNORECASE)


def spelt_size(size: str, takes: ModelInfo) -> str:
    """A size as the model spells it, whatever the case it was typed in."""
    if not takes.sizes and _RESOLUTION.fullmatch(size):
        return size.upper()
    return _spelt(size, takes.sizes)


def spelt(request: ImageRequest, takes: ModelInfo) -> ImageRequest:
    """The order with its words as the model spells them."""
    return replace(
        request,
        size=spelt_size(request.size, takes),
        quality=_spelt(request.quality, takes.qualities),
        style=_spelt(request.style, takes.styles),
    )


def _spelt(word: str, known: Sequence[str]) -> str:
    return next((each for each in known if each.lower() == word.lower()), word)


async def check_drawing(request: ImageRequest, takes: ModelInfo) -> None:
    """Raise `CallFailed` when the order cannot succeed at a model that `takes` these words."""
    if not request.prompt.strip():
        raise _wrong("prompt", "the prompt is empty")
    if len(request.prompt) > PROMPT:
        raise _wrong("prompt", f"the prompt has {len(request.prompt)} characters, not {PROMPT}")
    _check_number(request.n)
    _check_size(request.size, takes)
    _check_word("quality", request.quality, takes.qualities)
    _check_word("style", request.style, takes.styles)
    if len(request.images) > SOURCES:
        raise _wrong("image", f"at most {SOURCES} pictures can be redrawn at once")
    for image in request.images:
        _check_picture(image)
    if request.mask is not None:
        if not request.images:
            raise _wrong("mask", "a mask needs the picture that it belongs to")
        await asyncio.to_thread(_check_mask, request.mask, request.images[0])


def check_variation(request: VariationRequest, takes: ModelInfo) -> None:
    """Raise `CallFailed` when the order cannot succeed."""
    _check_number(request.n)
    _check_size(request.size, takes)
    _check_picture(request.image)


def _check_number(n: int) -> None:
    if not 1 <= n <= PICTURES:
        raise _wrong("n", f"n is between 1 and {PICTURES}")


def _check_size(size: str, takes: ModelInfo) -> None:
    if takes.sizes:
        _check_word("size", size, takes.sizes)
    elif size and not _SIZE.fullmatch(size):
        raise _wrong("size", "a size is WIDTHxHEIGHT, such as 1024x1024")


def _check_word(name: str, word: str, known: Sequence[str]) -> None:
    if word and known and word not in known:
        raise _wrong(name, f"{name} is one of {', '.join(known)}")


def _check_picture(image: ImagePart) -> None:
    if not mime_of(image.data):
        raise _wrong("image", "what should be redrawn is not a PNG, JPEG, GIF or WebP picture")
    if len(image.data) > SOURCE_BYTES:
        raise _wrong("image", f"the picture is larger than {SOURCE_BYTES // 1_000_000} MB")


def _check_mask(mask: ImagePart, image: ImagePart) -> None:
    """A mask is a PNG with transparency, of the size of the picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(mask.data)) as drawn, Image.open(BytesIO(image.data)) as picture:
            sizes, kind = (drawn.size, picture.size), drawn.format
            transparent = drawn.has_transparency_data
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise _wrong("mask", "the mask or its picture cannot be read") from error
    if kind != "PNG" or not transparent:
        raise _wrong("mask", "a mask is a PNG that is transparent where the picture shall change")
    if sizes[0] != sizes[1]:
        mask_size, image_size = ("×".join(map(str, size)) for size in sizes)
        raise _wrong("mask", f"the mask is {mask_size} pixels and its picture {image_size}")


def _wrong(param: str, detail: str) -> CallFailed:
    return CallFailed(ModelErrorKind.BAD_REQUEST, detail, param=param, sent=False)
