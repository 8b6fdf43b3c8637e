"""A mention comes twice, in any order: as `message`, and as `app_mention`, which may lack files.

The first of both is answered, so one without files lets the other go first (others have met this:
github.com/openclaw/openclaw/pull/62927, github.com/NousResearch/hermes-agent/pull/77141). Where
the bot is not in the channel, only the `app_mention` comes.
"""

from __future__ import annotations

import asyncio

from bot.core.bounded import Memory
from bot.core.clock import heard_within
from bot.core.ports import Clock
from bot.platforms.slack import inbound
from bot.platforms.slack.calls import Json

PATIENCE = 1.0
"""Seconds that a mention without files waits for its message."""
MESSAGES = 1_000
"""Messages of which it is remembered that they have come."""


class Twins:
    """Knows which messages have come."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._come: Memory[tuple[str, str], asyncio.Event] = Memory(MESSAGES)

    async def in_order(self, body: Json) -> None:
        """Return when what was delivered may take its turn: at once, but for such a mention."""
        event = body.get("event")
        if not isinstance(event, dict) or event.get("type") not in {"message", "app_mention"}:
            return
        come = self._event(inbound.conversation_of(body), str(event.get("ts")))
        if event["type"] == "message":
            come.set()
        elif not event.get("files") and "edited" not in event:
            await heard_within(self._clock, PATIENCE, come.wait)

    def _event(self, channel: str, ts: str) -> asyncio.Event:
        found = self._come.get((channel, ts))
        if found is None:
            found = asyncio.Event()
            self._come.put((channel, ts), found)
        return found
