"""What a message says that is linked in another one: Slack tells it about a second later.

It comes as a change of the message with the link, once Slack has made its preview (seen in
github.com/NousResearch/hermes-agent/pull/95417). So who links a message is answered a moment
later, with what it says. Of several processes with one app another one may have been told of the
change; so at last Slack is asked.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.core.clock import heard_within, within
from bot.core.lru import LruCache
from bot.core.ports import Clock
from bot.platforms.slack import inbound
from bot.platforms.slack.calls import Json

PATIENCE = 1.5
"""Seconds from its arrival that a message with such a link waits for its preview: those behind it
need not wait for one after the other."""
ASKING = 1.0
"""Seconds after that in which Slack may answer: it waits for 3 until a message is taken in."""
MESSAGES = 50
"""Messages of which the previews are kept."""
_LINK = re.compile(r"<https://[a-z0-9.-]+\.slack\.com/archives/[A-Z0-9]+/p\d+", re.IGNORECASE)


@dataclass(slots=True)
class Preview:
    """The attachments of a message once its links have been looked at: until then, if at all."""

    until: float
    come: asyncio.Event = field(default_factory=asyncio.Event)
    attachments: list[Json] = field(default_factory=list)


class Previews:
    """Gives messages what they link to. `ask` tells what a message of a channel is by now."""

    def __init__(self, clock: Clock, ask: Callable[[str, Json], Awaitable[Json]]) -> None:
        self._clock = clock
        self._ask = ask
        self._previews: LruCache[tuple[str, str], Preview] = LruCache(MESSAGES)

    def hear(self, body: Json) -> None:
        """Expect the preview of a message that comes, and keep one that comes. Never raises."""
        event = body.get("event")
        if not isinstance(event, dict):
            return
        if _has_link(event):
            self._of(body, event)
        message = event.get("message")
        if isinstance(message, dict) and (found := _found_below(message)):
            preview = self._of(body, message)
            preview.attachments = found
            preview.come.set()

    async def complete(self, body: Json) -> Json:
        """A new message with what it links to, as soon as Slack tells that, or soon without."""
        event = body.get("event")
        if not isinstance(event, dict) or not _has_link(event):
            return body
        preview = self._of(body, event)
        left = preview.until - self._clock.monotonic()
        if not await heard_within(self._clock, left, preview.come.wait):
            left = preview.until + ASKING - self._clock.monotonic()
            await within(self._clock, left, self._look(preview, body, event))
        preview.come.set()  # who mentions the bot is told of twice, and waits once
        if not preview.attachments:
            return body
        return body | {"event": event | {"attachments": preview.attachments}}

    async def _look(self, preview: Preview, body: Json, message: Json) -> None:
        now = await self._ask(inbound.conversation_of(body), message)
        preview.attachments = preview.attachments or _found_below(now)

    def _of(self, body: Json, message: Json) -> Preview:
        key = (inbound.conversation_of(body), str(message.get("ts")))
        return self._previews.get_or(key, lambda: Preview(self._clock.monotonic() + PATIENCE))


def _found_below(message: Json) -> list[Json]:
    """The attachments of a message if what it links to is among them."""
    found = message.get("attachments")
    if not isinstance(found, list):
        return []
    is_told = any(isinstance(each, dict) and each.get("is_msg_unfurl") for each in found)
    return found if is_told else []


def _has_link(event: Json) -> bool:
    return _LINK.search(str(event.get("text") or "")) is not None
