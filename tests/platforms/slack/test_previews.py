"""How long a message that links to another one waits for what that says."""

from __future__ import annotations

import asyncio

from bot.core.fakes.clock import ManualClock
from bot.platforms.slack import previews
from bot.platforms.slack.calls import Json
from bot.platforms.slack.previews import Previews
from tests.patience import PATIENCE


async def test_two_events_of_one_message_wait_once(clock: ManualClock) -> None:
    link = "<https://sandbox.slack.com/archives/C1/p1760000001000001>"
    message = {"event": {"type": "message", "channel": "C1", "ts": "2.1", "text": link}}
    asked = list[str]()

    async def ask(channel: str, message: Json) -> Json:
        asked.append(message["ts"])
        return message

    kept = Previews(clock, ask)
    first = asyncio.create_task(kept.complete(message))
    await clock.settle()
    assert not first.done()
    await clock.advance(previews.PATIENCE)
    async with asyncio.timeout(PATIENCE):
        assert await first is message
        mention = {"event": message["event"] | {"type": "app_mention"}}
        assert await kept.complete(mention) is mention
    assert asked == ["2.1"]
