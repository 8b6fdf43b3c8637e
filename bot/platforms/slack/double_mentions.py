"""A mention comes as two events, in any order: `message`, and `app_mention`, which may lack files.

The first of both is answered, so an `app_mention` without files waits a moment for its `message`:
then that is the first (others have met this: github.com/openclaw/openclaw/pull/62927,
github.com/NousResearch/hermes-agent/pull/77141). Where the bot is not in the channel, only the
`app_mention` comes.
"""

from __future__ import annotations

import asyncio

from bot.core.clock import heard_within
from bot.core.lru import LruCache
from bot.core.ports import Clock
from bot.platforms.slack import inbound
from bot.platforms.slack.calls import Json

PATIENCE = 1.0
"""Seconds that a mention without files waits for its message."""
MESSAGES = 1_000
"""Messages of which it is remembered that they have come."""


class DoubleMentions:
    """Puts the two events of a mention in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._come: LruCache[tuple[str, str], asyncio.Event] = LruCache(MESSAGES)

    async def in_order(self, body: Json) -> None:
        """Return when an event may be taken in: at once, but for an `app_mention` without files."""
        event = body.get("event")
        if not isinstance(event, dict) or event.get("type") not in {"message", "app_mention"}:
            return
        key = (inbound.conversation_of(body), str(event.get("ts")))
        come = self._come.get_or(key, asyncio.Event)
        if event["type"] == "message":
            come.set()
        elif not event.get("files") and "edited" not in event:
            await heard_within(self._clock, PATIENCE, come.wait)
