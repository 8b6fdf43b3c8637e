"""What is known about models, and what their use comes to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class UsageKind(StrEnum):
    """What a request was for."""

    CHAT = "chat"
    IMAGE = "image"
    AUDIO = "audio"
    EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEntry:
    """What one request to the API cost. `cost` in USD, None when the price is unknown.

    `seconds` is the audio's length; `latency` and `first_token` are seconds of waiting. Of the
    prompt's tokens `cached_tokens` are cheaper, and `media_tokens` (pictures, sound) have a price
    of their own; both are for the price only and not kept.
    """

    kind: UsageKind
    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    media_tokens: int = 0
    images: int = 0
    seconds: float = 0.0
    cost: Decimal | None = None
    latency: float | None = None
    first_token: float | None = None
    estimated: bool = False


class Purpose(StrEnum):
    """What a model is for that cannot answer in words."""

    DRAWING = "drawing"
    LISTENING = "listening"
    SPEAKING = "speaking"
    EMBEDDING = "embedding"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is known about a model. None (and an empty list of words) is unknown, never zero.

    Prices in USD: per million tokens, per picture, per minute of audio. `pictures` is how many it
    looks at in one request. `sizes`, `qualities` and `styles` are the words that an image model
    takes, and `lacks` what it has refused to do at all: `edits`, `variations`. A model with a
    `purpose` surely cannot answer in words.
    """

    id: str
    owner: str = ""
    context_window: int | None = None
    vision: bool | None = None
    pictures: int | None = None
    input_price: Decimal | None = None
    cached_price: Decimal | None = None
    output_price: Decimal | None = None
    image_price: Decimal | None = None
    minute_price: Decimal | None = None
    sizes: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    lacks: frozenset[str] = frozenset()
    purpose: Purpose | None = None
