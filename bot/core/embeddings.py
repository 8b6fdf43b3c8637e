"""Texts as vectors, by which what belongs together is found."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.core.models import UsageEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRequest:
    """Turn each text into a vector."""

    model: str
    texts: tuple[str, ...]
    lane: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A vector per text, in order, and what the calls cost: none where all was remembered."""

    vectors: tuple[tuple[float, ...], ...] = field(repr=False)
    usage: tuple[UsageEntry, ...] = ()
