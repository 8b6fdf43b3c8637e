"""What Telegram has refused lately, and is therefore not asked for again for a while."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from bot.core.lru import LruCache
from bot.core.ports import Clock

log = logging.getLogger(__name__)

STRIKES = 2
"""Refusals in a row after which a chat does without: one alone may be about one text."""
CHATS = 3
"""So many chats without, and the bot does without: it is not about the chats."""
REMEMBERED = 1_000
"""Chats of which it is remembered that something was refused there once."""
PAUSE = 3600.0
"""Seconds until it is tried again."""


@dataclass(slots=True)
class Refusals:
    """Where Telegram refuses one way of showing answers; `what` is its name in the log.

    After so many `strikes` in a row a chat does without it for a while.
    """

    what: str
    clock: Clock
    strikes: int = STRIKES
    _counts: LruCache[int, int] = field(default_factory=lambda: LruCache(REMEMBERED))
    _until: dict[int, float] = field(default_factory=dict)
    _all_until: float = float("-inf")

    def without(self, chat: int) -> bool:
        """Whether it is not to be tried in this chat."""
        now = self.clock.monotonic()
        return now < self._all_until or now < self._until.get(chat, float("-inf"))

    def note(self, chat: int, *, unknown: bool = False) -> None:
        """It was refused; `unknown` to the server, which is nothing about the chat."""
        now = self.clock.monotonic()
        count = (self._counts.get(chat) or 0) + 1
        self._counts.put(chat, count)
        self._until = {other: until for other, until in self._until.items() if until > now}
        if count >= self.strikes:
            self._until[chat] = now + PAUSE
        if unknown or len(self._until) >= CHATS:
            self._all_until = now + PAUSE
        extra = {"what": self.what, "chat": str(chat), "everywhere": self._all_until > now}
        log.warning("refused, doing without", extra=extra)

    def worked(self, chat: int) -> None:
        """It was taken."""
        if self._counts.get(chat):
            self._counts.put(chat, 0)
