"""Asking for pictures, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.core.chat import ImagePart
from bot.core.models import UsageEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """Draw `n` pictures of `prompt`, or redraw `images` as it says.

    With a `mask` (PNG, of the first picture's size), only what is transparent in it is redrawn.
    size/quality/style are the API's words; empty: its default.
    """

    model: str
    prompt: str
    n: int = 1
    size: str = ""
    quality: str = ""
    style: str = ""
    images: tuple[ImagePart, ...] = ()
    mask: ImagePart | None = None
    lane: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationRequest:
    """Draw `n` variations of a picture."""

    model: str
    image: ImagePart
    n: int = 1
    size: str = ""
    lane: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture the API drew, and what it wants said beside it (a revised prompt, a warning)."""

    mime: str
    data: bytes = field(repr=False)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The pictures of one request, and what it cost.

    A model that draws as part of a conversation may have drawn none; `words` are what it said.
    """

    pictures: tuple[Picture, ...]
    usage: UsageEntry
    words: str = ""
