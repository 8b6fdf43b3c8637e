"""The pacer: within Slack's limits, and nobody waits for somebody else's."""

from __future__ import annotations

import asyncio
import random
from functools import partial

import pytest

from bot.core.manual_clock import ManualClock
from bot.errors import RateLimited
from bot.platforms.slack.pace import Pace, Urgency
from bot.sandbox.slack.limits import Limits, RateLimits


class Wire:
    """Slack's side of the limits, on the same clock; an answer takes 50 ms."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.limits = RateLimits(clock)
        self.limits.mode = Limits.HARD
        self.taken: list[tuple[str, str, float]] = []

    async def call(self, method: str, channel: str) -> None:
        wait = self.limits.wait(method, channel)
        if wait:
            raise RateLimited(wait)
        self.taken.append((method, channel, self._clock.monotonic()))
        await self._clock.sleep(0.05)


async def test_posts_to_one_channel_keep_a_second_apart(clock: ManualClock) -> None:
    pace, wire = Pace(clock), Wire(clock)

    async def post() -> None:
        for _ in range(10):
            await pace.call(
                "chat.postMessage", "C1", Urgency.FINAL, lambda: wire.call("chat.postMessage", "C1")
            )

    await clock.drive(post())
    assert wire.limits.refused == 0
    assert len(wire.taken) == 10
    assert wire.taken[-1][2] < 10


async def test_in_one_chat_one_call_is_under_way_and_the_others_follow(clock: ManualClock) -> None:
    pace = Pace(clock)
    under_way, seen = 0, list[tuple[str, int]]()

    async def call(method: str) -> None:
        nonlocal under_way
        under_way += 1
        seen.append((method, under_way))
        await clock.sleep(0.3)
        under_way -= 1

    async def everybody() -> None:
        async with asyncio.TaskGroup() as group:
            for method, urgency in asked:
                work = pace.call(method, "C1", urgency, partial(call, method), chat="T1:C1:1.1")
                group.create_task(work)

    asked = [
        ("chat.appendStream", Urgency.PREVIEW),  # an answer
        ("chat.postMessage", Urgency.FINAL),  # who waits is told
        ("chat.stopStream", Urgency.FINAL),
    ]
    await clock.drive(everybody())
    assert seen == [(method, 1) for method, _ in asked]


async def test_what_waited_for_a_call_that_was_refused_waits_out_the_pause(
    clock: ManualClock,
) -> None:
    pace, said = Pace(clock), list[float]()

    async def refuse() -> None:
        await clock.sleep(0.3)
        raise RateLimited(30)

    async def say() -> None:
        said.append(clock.monotonic())

    async def both() -> None:
        post = partial(pace.call, "chat.postMessage", "C1", Urgency.FINAL, chat="T1:C1:1.1")
        await asyncio.gather(post(refuse), post(say), return_exceptions=True)

    await clock.drive(both())
    assert said == [pytest.approx(30.3)]


async def test_a_refused_post_holds_up_its_channel_and_no_other(clock: ManualClock) -> None:
    pace = Pace(clock)

    async def refuse() -> None:
        raise RateLimited(30)

    async def done() -> str:
        return "done"

    with pytest.raises(RateLimited):
        await pace.call("chat.postMessage", "C1", Urgency.FINAL, refuse)
    with pytest.raises(RateLimited) as told:
        await pace.call("chat.appendStream", "C1", Urgency.PREVIEW, done)
    assert told.value.retry_after == pytest.approx(30)
    assert await pace.call("chat.postMessage", "C2", Urgency.FINAL, done) == "done"
    before = clock.monotonic()
    final = pace.call("chat.postMessage", "C1", Urgency.FINAL, done)
    assert await clock.drive(final) == "done"
    assert clock.monotonic() - before >= 30


async def test_a_refused_method_holds_up_that_method_everywhere(clock: ManualClock) -> None:
    pace = Pace(clock)

    async def refuse() -> None:
        raise RateLimited(30)

    async def done() -> str:
        return "done"

    with pytest.raises(RateLimited):
        await pace.call("chat.update", "C1", Urgency.FINAL, refuse)
    with pytest.raises(RateLimited):
        await pace.call("chat.update", "C2", Urgency.PREVIEW, done)
    assert await pace.call("chat.postMessage", "C1", Urgency.FINAL, done) == "done"


@pytest.mark.parametrize("seed", range(5))
async def test_two_hundred_chats_stay_within_the_limits_and_all_get_through(
    clock: ManualClock, seed: int
) -> None:
    chance = random.Random(seed)
    pace, wire = Pace(clock), Wire(clock)
    finished: list[str] = []

    async def chat(channel: str) -> None:
        await clock.sleep(chance.uniform(0, 20))
        for _ in range(chance.randint(1, 40)):
            await clock.sleep(1.0)
            try:
                await pace.call(
                    "chat.update",
                    channel,
                    Urgency.PREVIEW,
                    lambda: wire.call("chat.update", channel),
                )
            except RateLimited as limit:
                await clock.sleep(limit.retry_after)
        await pace.call(
            "chat.update", channel, Urgency.FINAL, lambda: wire.call("chat.update", channel)
        )
        finished.append(channel)

    async def everybody() -> None:
        await asyncio.gather(*(chat(f"C{n}") for n in range(200)))

    await clock.drive(everybody())
    assert wire.limits.refused == 0
    assert len(finished) == 200
