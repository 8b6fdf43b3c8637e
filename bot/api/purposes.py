"""What a model is for that cannot answer in words, as far as its name or the list of models tells.

Nothing is known for sure about a name that is not here: such a model may answer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from bot.core.models import Purpose

_NAMES = {
    Purpose.DRAWING: re.compile(r"(dall-e|gpt-image|imagen|stable-diffusion)-\d|flux\.\d"),
    Purpose.LISTENING: re.compile(
        r"(.*[-_])?(whisper([-_:](\d|v\d|tiny|base|small|medium|large|turbo)|$)|transcribe([-_:]|$))"
    ),
    Purpose.SPEAKING: re.compile(r"(.*[-_])?tts([-_:]|$)"),
    Purpose.EMBEDDING: re.compile(r"(.*[-_])?embed(ding)?s?([-_:]|$)"),
    Purpose.OTHER: re.compile(r"(.*[-_])?(moderation|rerank(er)?)([-_:]|$)|sora-"),
}
"""How names begin, after a vendor's: `dall-e-3`, `openai/gpt-4o-mini-tts`, `nomic-embed-text`."""
_MODALITIES: Mapping[str, Purpose] = {
    "image": Purpose.DRAWING,
    "audio": Purpose.SPEAKING,
    "embeddings": Purpose.EMBEDDING,
}
_WORDLESS = frozenset({Purpose.DRAWING, Purpose.SPEAKING})
"""Those that have words for an answer only if they are no such model after all."""


def purpose_of(model: str, modalities: Collection[object] = ()) -> Purpose | None:
    """What else the model is for; None for one that may answer.

    `modalities` are what it answers with, where a list of models tells: `text`, `image`.
    """
    name = model.lower().rpartition("/")[2]
    named = next((purpose for purpose, pattern in _NAMES.items() if pattern.match(name)), None)
    if "text" in modalities:
        return None if named in _WORDLESS else named
    if named is None and modalities:
        return next((p for given, p in _MODALITIES.items() if given in modalities), Purpose.OTHER)
    return named
