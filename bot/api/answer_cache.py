"""Remembers whole answers, where the operator wants that.

Only at temperature 0, where a model means to say the same again, and never one that was cut.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from bot.api.cache import Cache
from bot.api.protocols.chat_completions import payload
from bot.api.protocols.usage import NOTHING_USED
from bot.core.chat import ChatRequest, Finished, ImageDelta, ModelEvent, TextDelta, Usage
from bot.core.ports import Clock

SIZE = 16 * 1024 * 1024
"""Bytes and characters of all answers together."""
EVENT = 100
"""What an event takes beside its words."""


class AnswerCache:
    """The answers of the last `seconds`; none when that is 0."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self._on = seconds > 0
        self._cache: Cache[tuple[ModelEvent, ...]] = Cache(
            clock, size=SIZE, seconds=seconds, weigh=_weight
        )

    def key(self, request: ChatRequest) -> bytes | None:
        """What identical requests have in common; None when their answer is not remembered."""
        if not self._on or request.sampling.temperature != 0:
            return None
        return hashlib.sha256(json.dumps(payload(request), sort_keys=True).encode()).digest()

    def get(self, key: bytes) -> Sequence[ModelEvent] | None:
        """The events of the answer, which costs nothing now; None when there is none."""
        return self._cache.get(key)

    def put(self, key: bytes, said: Sequence[ModelEvent]) -> None:
        """Remember a whole answer."""
        events = tuple(NOTHING_USED if isinstance(event, Usage) else event for event in said)
        if events and isinstance(events[-1], Finished):
            self._cache.put(key, events)


def _weight(events: tuple[ModelEvent, ...]) -> int:
    words = sum(len(event.text) for event in events if isinstance(event, TextDelta))
    pictures = sum(len(event.data) for event in events if isinstance(event, ImageDelta))
    return words + pictures + EVENT * len(events)
