from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress

import pytest

from bot.core.fakes.clock import ManualClock
from bot.errors import RateLimited
from bot.platforms.telegram import pace
from bot.platforms.telegram.pace import Budget, Urgency
from tests.platforms.telegram.pacing import Server

ANN, BOB, GROUP = 1001, 1002, -1001


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


async def test_a_preview_without_budget_is_told_to_come_back_and_nothing_is_sent(
    clock: ManualClock,
) -> None:
    server = Server(clock)
    for _ in range(3):
        await server.call(ANN, Urgency.PREVIEW)
    with pytest.raises(RateLimited):
        await server.call(ANN, Urgency.PREVIEW)
    assert len(server.calls) == 3
    await clock.advance(1)
    await server.call(ANN, Urgency.PREVIEW)


async def test_final_texts_wait_for_their_turn_and_keep_their_order(clock: ManualClock) -> None:
    server = Server(clock)
    texts = [str(n) for n in range(8)]
    await clock.drive(_all([server.call(ANN, Urgency.FINAL, text) for text in texts]))
    assert [text for _, _, text in server.calls] == texts
    assert server.refused == 0
    assert server.calls[-1][0] == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize(("chat", "every", "longest"), [(ANN, 0.4, 8.0), (GROUP, 2.0, 16.0)])
async def test_an_answer_goes_on_being_seen_among_many_short_texts(
    clock: ManualClock, chat: int, every: float, longest: float
) -> None:
    server = Server(clock, delay=0.2)
    texts = [str(n) for n in range(120)]

    async def commands() -> None:
        async with asyncio.TaskGroup() as group:
            for text in texts:
                group.create_task(server.call(chat, Urgency.FINAL, text))
                await clock.sleep(every)

    async def write() -> None:
        while len(server.calls) < len(texts):
            await server.until_through(chat, Urgency.PREVIEW, "preview")
            await clock.sleep(1)

    await clock.drive(_all([commands(), write()]))
    seen = [at for at, _, text in server.calls if text == "preview"]
    assert max(later - at for at, later in itertools.pairwise(seen)) < longest
    assert [text for _, _, text in server.calls if text != "preview"] == texts
    assert len(seen) < len(texts) / 2
    assert server.refused == 0


async def test_who_was_held_and_does_not_come_back_holds_nobody(clock: ManualClock) -> None:
    server = Server(clock)
    finals = asyncio.create_task(
        _all([server.call(ANN, Urgency.FINAL, str(number)) for number in range(16)])
    )
    while clock.monotonic() < 6.2:
        await clock.advance(0.3)
        with suppress(RateLimited):
            server.pacer.ask(ANN, Urgency.PREVIEW)
    await clock.drive(_all([finals]))
    assert server.calls[-1][0] < 16 - 3 + 1.5


async def test_a_block_of_one_chat_silences_it_and_does_not_delay_another(
    clock: ManualClock,
) -> None:
    server = Server(clock)

    async def refuse() -> None:
        raise RateLimited(60)

    with pytest.raises(RateLimited):
        await server.pacer.call(ANN, Urgency.FINAL, refuse)
    for urgency in (Urgency.FIRST, Urgency.PREVIEW, Urgency.TYPING):
        with pytest.raises(RateLimited) as limit:
            await server.call(ANN, urgency)
        assert limit.value.retry_after == pytest.approx(60)
    final = asyncio.create_task(server.call(ANN, Urgency.FINAL, "the end"))
    await server.call(BOB, Urgency.FINAL, "other")
    await clock.advance(59)
    assert [chat for _, chat, _ in server.calls] == [BOB]
    await clock.advance(2)
    assert await final == "the end"


@pytest.mark.parametrize("urgency", [Urgency.FIRST, Urgency.PREVIEW])
async def test_a_group_keeps_a_call_for_the_end(clock: ManualClock, urgency: Urgency) -> None:
    server = Server(clock)
    with pytest.raises(RateLimited):
        for _ in range(10):
            await server.call(GROUP, urgency)
    began = clock.monotonic()
    await server.call(GROUP, Urgency.FINAL)
    assert clock.monotonic() == began


async def test_a_line_that_may_be_left_out_takes_no_call_that_an_answer_needs(
    clock: ManualClock,
) -> None:
    server = Server(clock)
    await server.call(GROUP, Urgency.FIRST)
    await server.call(GROUP, Urgency.SPARE, "line")
    with pytest.raises(RateLimited):
        await server.call(GROUP, Urgency.SPARE)  # the last one is for the end of the answer
    await clock.advance(3.2)
    with pytest.raises(RateLimited):
        await server.call(GROUP, Urgency.PREVIEW)
    await clock.advance(0.4)
    with pytest.raises(RateLimited):
        server.pacer.ask(GROUP, Urgency.SPARE)
    await server.call(GROUP, Urgency.PREVIEW, "more")
    assert [text for _, _, text in server.calls] == ["", "line", "more"]


async def test_typing_is_left_out_when_texts_need_the_budget(clock: ManualClock) -> None:
    server = Server(clock)
    await server.call(ANN, Urgency.TYPING)
    await server.call(ANN, Urgency.FIRST)
    with pytest.raises(RateLimited):
        await server.call(ANN, Urgency.TYPING)
    await server.call(ANN, Urgency.PREVIEW)


async def test_no_text_waits_for_what_says_that_the_bot_types(clock: ManualClock) -> None:
    server = Server(clock)
    slow = server.pacer.call(ANN, Urgency.TYPING, lambda: clock.sleep(5))
    typing = asyncio.create_task(slow)
    await clock.settle()
    text = asyncio.create_task(server.call(ANN, Urgency.FIRST))
    await clock.settle()
    assert text.done()
    assert not typing.done()
    await clock.drive(_all([typing]))


async def test_drafts_and_typing_share_a_budget_beside_that_of_the_messages(
    clock: ManualClock,
) -> None:
    server = Server(clock, delay=0.1)

    async def write() -> None:
        while clock.monotonic() < 90:
            for urgency in (Urgency.TYPING, Urgency.PREVIEW):
                try:
                    await server.preview(ANN, urgency)
                except RateLimited as limit:
                    await clock.sleep(limit.retry_after / 2)

    await clock.drive(write())
    assert server.refused == 0
    times = [at for at, _, _ in server.calls]
    assert len(times) >= 85  # 40 in 30 s are allowed
    assert max(b - a for a, b in itertools.pairwise(times)) < 2.5
    began = clock.monotonic()
    await clock.drive(server.call(ANN, Urgency.FINAL, "the real message"))
    assert clock.monotonic() - began < 0.3


async def test_a_refused_draft_silences_its_chat(clock: ManualClock) -> None:
    server = Server(clock)

    async def refuse() -> None:
        raise RateLimited(20)

    with pytest.raises(RateLimited):
        await server.pacer.call(ANN, Urgency.PREVIEW, refuse, budget=Budget.DRAFT)
    for urgency in (Urgency.FIRST, Urgency.TYPING):
        with pytest.raises(RateLimited):
            await server.call(ANN, urgency)


async def test_what_belongs_to_no_chat_counts_for_the_bot_and_goes_first(
    clock: ManualClock,
) -> None:
    server = Server(clock, delay=0.1)

    async def press(person: int) -> None:
        await clock.sleep(0.5)
        began = clock.monotonic()
        await server.pacer.aside(server.via(person, "press"))
        assert clock.monotonic() - began < 1.5

    finals = [server.call(chat, Urgency.FINAL) for chat in range(1, 201)]
    presses = [press(person) for person in range(201, 221)]
    await clock.drive(_all([*finals, *presses]))
    assert server.refused == 0
    assert len(server.calls) == 220


@pytest.mark.parametrize("chat", [ANN, GROUP])
async def test_looks_for_what_was_lost_count_on_the_budget_of_their_chat(
    clock: ManualClock, chat: int
) -> None:
    server = Server(clock, delay=0.1)

    async def look_and_answer() -> None:
        await server.call(chat, Urgency.FINAL, "before")
        for _ in range(8):
            await server.pacer.look(chat, server.via(chat, "look"))
        await server.answer(chat, previews=3)

    await clock.drive(look_and_answer())
    assert server.refused == 0
    assert Counter(text for *_, text in server.calls)["look"] == 8


async def test_presses_that_were_answered_count_for_a_second_only(clock: ManualClock) -> None:
    server = Server(clock)
    presses = [server.pacer.aside(server.via(chat, "press")) for chat in range(1, 31)]
    await clock.drive(_all([*presses]))
    await clock.advance(2)
    later = [asyncio.create_task(server.call(chat, Urgency.FINAL)) for chat in range(1, 31)]
    await clock.settle()
    assert all(call.done() for call in later)
    for call in later:
        call.cancel()


async def test_in_a_crowd_it_is_remembered_who_may_not_be_called(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "CROWD", 3)
    server = Server(clock)

    async def refuse() -> None:
        raise RateLimited(60)

    with pytest.raises(RateLimited):
        await server.pacer.call(ANN, Urgency.FINAL, refuse)
    await clock.advance(30)
    for _ in range(3):
        await server.call(GROUP, Urgency.FINAL)
    for chat in range(1, 6):
        await server.call(chat, Urgency.FINAL)
        await clock.advance(1)
    for _ in range(8):
        await server.preview(BOB, Urgency.PREVIEW)
    await server.call(6, Urgency.FINAL)
    for chat in (ANN, GROUP):
        with pytest.raises(RateLimited):
            await server.call(chat, Urgency.PREVIEW)
    with pytest.raises(RateLimited):
        await server.preview(BOB, Urgency.PREVIEW)
    assert server.refused == 0


async def test_first_texts_go_before_later_ones(clock: ManualClock) -> None:
    server = Server(clock)
    await clock.drive(_all([server.call(chat, Urgency.FIRST) for chat in range(1, 31)]))
    eager = [server.until_through(chat, Urgency.PREVIEW, "preview") for chat in range(1, 31)]
    fresh = [server.until_through(chat, Urgency.FIRST, "first") for chat in range(101, 121)]
    await clock.drive(_all([*eager, *fresh]))
    later = [text for _, _, text in server.calls[30:]]
    assert later[:30].count("first") == 20


async def test_who_has_seen_nothing_goes_before_the_end_of_what_was_seen_lately(
    clock: ManualClock,
) -> None:
    server = Server(clock)
    await clock.drive(_all([server.call(chat, Urgency.FIRST) for chat in range(1, 31)]))
    await clock.advance(0.5)
    ends = [server.call(chat, Urgency.FINAL, "final") for chat in range(1, 31)]
    fresh = [server.until_through(chat, Urgency.FIRST, "first") for chat in range(101, 121)]
    await clock.drive(_all([*ends, *fresh]))
    later = [text for _, _, text in server.calls[30:]]
    assert later[:30].count("first") == 20


async def test_a_crowd_whose_answers_end_unseen_is_shown_them_without_a_pause(
    clock: ManualClock,
) -> None:
    server = Server(clock)

    async def answer(chat: int) -> None:
        first = asyncio.create_task(server.until_through(chat, Urgency.FIRST))
        await clock.sleep(6)
        first.cancel()
        await server.call(chat, Urgency.FINAL)

    await clock.drive(_all([answer(chat) for chat in range(1, 401)]))
    moments = [moment for moment, _, _ in server.calls]
    assert max(later - moment for moment, later in itertools.pairwise(moments)) < 1.5
    assert server.refused == 0


async def test_an_end_does_not_wait_for_ever_new_answers(clock: ManualClock) -> None:
    server = Server(clock)
    await server.call(ANN, Urgency.FIRST)

    async def crowd() -> None:
        for second in range(20):  # more of them in every second than can be answered
            asking = (
                server.until_through(2000 + 40 * second + n, Urgency.FIRST) for n in range(40)
            )
            crowds.append(asyncio.gather(*asking))
            await clock.sleep(1)

    async def end() -> None:
        await clock.sleep(3)
        await server.call(ANN, Urgency.FINAL, "final")

    crowds = list[asyncio.Future[list[None]]]()
    await clock.drive(_all([crowd(), end()]))
    (at,) = [at for at, chat, text in server.calls if chat == ANN and text == "final"]
    assert at < 9
    for asking in crowds:
        asking.cancel()
    await asyncio.gather(*crowds, return_exceptions=True)


async def test_a_crowd_does_not_call_in_one_moment_of_every_second(clock: ManualClock) -> None:
    server = Server(clock)
    await clock.drive(_all([server.until_through(chat, Urgency.FIRST) for chat in range(1, 91)]))
    moments = [at for at, _, _ in server.calls]
    assert moments[:30] == [0.0] * 30  # who need not wait does not
    assert len(set(moments[30:])) == 60
    assert moments[-1] < 2.2


@pytest.mark.parametrize("delay", [0.0, 0.3])
@pytest.mark.parametrize("chats", [1, 20, 100, 200])
async def test_no_call_is_ever_refused_and_every_end_arrives(
    clock: ManualClock, chats: int, delay: float
) -> None:
    server = Server(clock, delay=delay)
    people = range(1, chats + 1)
    await clock.drive(_all([server.answer(chat, previews=6) for chat in people]))
    assert server.refused == 0
    ends = [chat for _, chat, text in server.calls if text == "final"]
    assert sorted(ends) == list(people)


async def test_groups_stay_below_twenty_a_minute(clock: ManualClock) -> None:
    server = Server(clock, delay=0.2)
    groups = range(-5, 0)
    await clock.drive(_all([server.answer(chat, previews=60) for chat in groups]))
    assert server.refused == 0
    assert Counter(chat for _, chat, _ in server.calls).most_common()[-1][1] > 15


async def test_under_load_the_chats_share_the_budget_fairly(clock: ManualClock) -> None:
    server = Server(clock, delay=0.05)

    async def stream(chat: int) -> None:
        await server.until_through(chat, Urgency.FIRST, "first")
        while clock.monotonic() < 30:
            await server.until_through(chat, Urgency.PREVIEW, "preview")
            await clock.sleep(1)

    await clock.drive(_all([stream(chat) for chat in range(1, 101)]))
    shares = Counter(chat for _, chat, text in server.calls if text == "preview")
    assert len(shares) == 100
    assert max(shares.values()) <= 2 * min(shares.values())
    assert server.refused == 0
    firsts = [at for at, _, text in server.calls if text == "first"]
    assert max(firsts) < 6


async def test_a_final_text_that_is_given_up_leaves_its_place(clock: ManualClock) -> None:
    server = Server(clock)
    for _ in range(3):
        await server.call(ANN, Urgency.FINAL)
    given_up = asyncio.create_task(server.call(ANN, Urgency.FINAL, "given up"))
    await clock.advance(0.1)
    given_up.cancel()
    await asyncio.wait({given_up})
    await clock.advance(2)
    await server.call(ANN, Urgency.PREVIEW, "preview")
    assert [text for _, _, text in server.calls][3:] == ["preview"]


async def _all(works: list[Awaitable[object]]) -> None:
    await asyncio.gather(*works)
