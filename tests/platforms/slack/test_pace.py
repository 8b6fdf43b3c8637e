"""The pacer: within Slack's limits, and nobody waits for somebody else's."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from functools import partial

import pytest

from bot.core.fakes.clock import ManualClock
from bot.errors import NotYourTurn, RateLimited
from bot.platforms.slack import pace as pace_module
from bot.platforms.slack.budgets import Urgency
from bot.platforms.slack.pace import Pacer
from bot.sandbox.limits import Mode
from bot.sandbox.slack.limits import Limits


class Wire:
    """Slack's side of the limits, on the same clock; an answer takes 50 ms."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.limits = Limits(clock)
        self.limits.mode = Mode.HARD
        self.taken: list[tuple[str, str, float]] = []

    async def call(self, method: str, channel: str) -> None:
        wait = self.limits.wait(method, channel)
        if wait:
            raise RateLimited(wait)
        self.taken.append((method, channel, self._clock.monotonic()))
        await self._clock.sleep(0.05)


async def test_posts_to_one_channel_keep_a_second_apart(clock: ManualClock) -> None:
    pace, wire = Pacer(clock), Wire(clock)

    async def post() -> None:
        for _ in range(10):
            await pace.call(
                "chat.postMessage", "C1", Urgency.FINAL, lambda: wire.call("chat.postMessage", "C1")
            )

    await clock.drive(post())
    assert wire.limits.refused == 0
    assert len(wire.taken) == 10
    assert wire.taken[-1][2] < 10
    assert await pace.call("chat.update", "C1", Urgency.PREVIEW, done) == "done"  # it is no post


async def test_in_one_chat_one_call_is_under_way_and_the_others_follow(clock: ManualClock) -> None:
    pace, seen = Pacer(clock), list[tuple[str, float]]()

    async def call(method: str) -> None:
        seen.append((method, round(clock.monotonic(), 1)))
        await clock.sleep(0.3)

    async def everybody() -> None:
        async with asyncio.TaskGroup() as group:
            for method, urgency, chat in asked:
                group.create_task(
                    pace.call(method, "C1", urgency, partial(call, method), chat=chat)
                )

    asked = [
        ("chat.appendStream", Urgency.PREVIEW, "T1:C1:1.1"),  # an answer
        ("chat.postMessage", Urgency.FINAL, "T1:C1:1.1"),  # who waits is told
        ("chat.stopStream", Urgency.FINAL, "T1:C1:1.1"),
        ("users.info", Urgency.FINAL, ""),  # of no chat: they wait for nothing
        ("users.info", Urgency.FINAL, ""),
    ]
    await clock.drive(everybody())
    assert sorted(seen, key=lambda call: call[1]) == [
        ("chat.appendStream", 0.0),
        ("users.info", 0.0),
        ("users.info", 0.0),
        ("chat.postMessage", 0.3),
        ("chat.stopStream", 0.6),
    ]


async def test_what_waited_for_a_call_that_was_refused_waits_out_the_pause(
    clock: ManualClock,
) -> None:
    pace, said = Pacer(clock), list[float]()

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
    pace = Pacer(clock)

    async def refuse() -> None:
        raise RateLimited(30)

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


async def test_in_a_crowd_it_is_remembered_which_channel_takes_nothing(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace_module, "CROWD", 3)
    pace = Pacer(clock)
    with pytest.raises(RateLimited):
        await pace.call("chat.postMessage", "C1", Urgency.FINAL, limited)
    for number in range(2, 8):
        await pace.call("chat.postMessage", f"C{number}", Urgency.FINAL, done)
        await clock.advance(2)
    with pytest.raises(RateLimited):
        await pace.call("chat.postMessage", "C1", Urgency.PREVIEW, done)


async def test_a_refused_method_holds_up_that_method_everywhere(clock: ManualClock) -> None:
    pace = Pacer(clock)

    async def refuse() -> None:
        raise RateLimited(30)

    with pytest.raises(RateLimited):
        await pace.call("chat.update", "C1", Urgency.FINAL, refuse)
    with pytest.raises(RateLimited):
        await pace.call("chat.update", "C2", Urgency.PREVIEW, done)
    assert await pace.call("chat.postMessage", "C1", Urgency.FINAL, done) == "done"


async def test_an_end_that_waits_for_its_channel_holds_up_no_preview_elsewhere(
    clock: ManualClock,
) -> None:
    pace = Pacer(clock)
    with pytest.raises(RateLimited):
        await pace.call("chat.postMessage", "C1", Urgency.FINAL, limited)
    append = partial(pace.call, "chat.appendStream")
    end = asyncio.create_task(append("C1", Urgency.FINAL, done, chat="T1:C1:1.1"))
    await clock.advance(1)
    assert await append("D2", Urgency.PREVIEW, done, chat="T1:D2:") == "done"
    assert not end.done()
    await clock.advance(29)
    assert end.done()


async def test_previews_still_make_way_for_an_end_that_waits_for_their_method(
    clock: ManualClock,
) -> None:
    pace = Pacer(clock)
    for _ in range(50):
        await pace.call("chat.update", "C1", Urgency.FINAL, done)
        await clock.advance(1)
    end = asyncio.create_task(pace.call("chat.update", "C1", Urgency.FINAL, done))
    await clock.advance(1)
    with pytest.raises(NotYourTurn):
        await pace.call("chat.update", "C2", Urgency.PREVIEW, done, chat="T1:C2:")
    await clock.advance(9)  # a minute after the first of them
    assert end.done()
    await clock.advance(60)
    assert await pace.call("chat.update", "C2", Urgency.PREVIEW, done, chat="T1:C2:") == "done"


async def test_a_status_line_that_is_refused_holds_up_no_answer(clock: ManualClock) -> None:
    pace, line = Pacer(clock), "assistant.threads.setStatus"
    with pytest.raises(RateLimited):
        await pace.call(line, "C1", Urgency.TYPING, limited)
    for method in ("chat.postMessage", "chat.update"):
        assert await pace.call(method, "C1", Urgency.FINAL, done) == "done"
    assert clock.monotonic() == 0
    with pytest.raises(RateLimited):  # nothing is sent on it until Slack takes it again
        await pace.call(line, "C2", Urgency.TYPING, done)


@pytest.mark.parametrize("seed", range(5))
async def test_two_hundred_chats_stay_within_the_limits_and_all_get_through(
    clock: ManualClock, seed: int
) -> None:
    chance = random.Random(seed)
    pace, wire = Pacer(clock), Wire(clock)
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


@pytest.mark.parametrize("method", sorted(pace_module.PER_MINUTE))
async def test_of_no_method_more_calls_are_made_than_slack_takes(
    clock: ManualClock, method: str
) -> None:
    pace, wire = Pacer(clock), Wire(clock)

    async def call(channel: str) -> None:
        await pace.call(method, channel, Urgency.FINAL, partial(wire.call, method, channel))

    async def everybody() -> None:
        await asyncio.gather(*(call(f"C{n}") for n in range(250)))

    await clock.drive(everybody())
    assert (wire.limits.refused, len(wire.taken)) == (0, 250)


async def test_many_streams_share_what_slack_takes(clock: ManualClock) -> None:
    pace, wire = Pacer(clock), Wire(clock)
    chats = [f"D{number}" for number in range(50)]

    async def stream(chat: str) -> None:
        append = partial(wire.call, "chat.appendStream", chat)
        while clock.monotonic() < 120:
            try:
                await pace.call("chat.appendStream", chat, Urgency.PREVIEW, append, chat=chat)
            except NotYourTurn as turn:
                await clock.sleep(turn.retry_after)
            else:
                await clock.sleep(0.75)  # then there is newer text

    async def everybody() -> None:
        await asyncio.gather(*(stream(chat) for chat in chats))

    await clock.drive(everybody())
    later = [channel for _, channel, at in wire.taken if at > 60]
    appends = [later.count(chat) for chat in chats]
    assert sum(appends) > 70  # of the 80 that previews may take
    assert max(appends) - min(appends) <= 1
    assert wire.limits.refused == 0


async def test_who_does_not_come_back_holds_up_nobody_for_long(clock: ManualClock) -> None:
    pace, wire = Pacer(clock), Wire(clock)

    async def show(chat: str) -> None:
        update = partial(wire.call, "chat.update", chat)
        await pace.call("chat.update", chat, Urgency.PREVIEW, update, chat=chat)

    async def come_back(chat: str) -> None:
        while True:
            try:
                return await show(chat)
            except NotYourTurn as turn:
                await clock.sleep(turn.retry_after)

    for _ in range(20):  # as many as go out at once
        await clock.drive(show("D1"))
    for number in range(30):
        with pytest.raises(NotYourTurn):
            await pace.call("chat.update", f"D{number}", Urgency.PREVIEW, done, chat=f"D{number}")
    before = clock.monotonic()
    await clock.drive(come_back("D99"))
    assert clock.monotonic() - before < 6


async def test_an_answer_that_ends_leaves_its_place_to_others(clock: ManualClock) -> None:
    pace = Pacer(clock)
    for _ in range(20):
        await pace.call("chat.update", "D1", Urgency.PREVIEW, done, chat="D1")
    waits = []
    for chat in ("D1", "D2"):
        with pytest.raises(NotYourTurn) as told:
            await pace.call("chat.update", chat, Urgency.PREVIEW, done, chat=chat)
        waits.append(told.value.retry_after)
    assert waits[0] < waits[1]
    await pace.call("chat.postMessage", "D1", Urgency.FINAL, done, chat="D1")
    assert pace.wait("chat.update", "D2", Urgency.PREVIEW, "D2") == pytest.approx(waits[0])


async def test_what_is_promised_is_there_however_many_previews_want_it(clock: ManualClock) -> None:
    pace, answers = Pacer(clock), [Pacer(clock) for _ in range(46)]  # anything will do
    for answer in answers[:45]:
        pace.promise("chat.update", answer)
    for _ in range(2):  # nor when it comes back
        with pytest.raises(NotYourTurn):
            pace.promise("chat.update", answers[45])
    pace.promise("chat.update", answers[0])  # it has one already
    for _ in range(60):
        with suppress(NotYourTurn):
            await pace.call("chat.update", "D1", Urgency.PREVIEW, done, chat="D1")
        await clock.advance(0.1)
    for answer in answers[:45]:
        assert pace.wait("chat.update", "D2", Urgency.FINAL, "D2") == 0
        await pace.call("chat.update", "D2", Urgency.FINAL, done, chat="D2")
        pace.redeem("chat.update", answer)
    await clock.advance(60)
    for _ in range(20):  # nothing is kept for an answer that is at its end
        await pace.call("chat.update", "D1", Urgency.PREVIEW, done, chat="D1")


async def done() -> str:
    return "done"


async def limited() -> None:
    raise RateLimited(30)
