"""The key's limits: how many at once, how many a minute, and whose turn it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from bot.api.failures.errors import CallFailed
from bot.api.limits import SHRINK_AGAIN, Limits
from bot.core.fakes.clock import ManualClock
from bot.errors import ModelErrorKind
from tests.patience import PATIENCE

Make = Callable[..., Limits]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def make(clock: ManualClock) -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        def limits(**changes: int) -> Limits:
            values = {
                "max_in_flight": 100,
                "requests_per_minute": 1000,
                "tokens_per_minute": 1_000_000,
                "max_waiting": 100,
                **changes,
            }
            made = Limits(clock=clock, **values)
            stack.push_async_callback(made.close)
            return made

        yield limits


class Requests:
    """Requests that take their turn and keep it until they are let go."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.order: list[str] = []
        self._ends: list[asyncio.Event] = []

    def begin(self, lane: str, tokens: int = 0) -> asyncio.Task[None]:
        end = asyncio.Event()
        self._ends.append(end)

        async def run() -> None:
            async with self.limits.slot(lane, tokens):
                self.order.append(lane)
                await end.wait()

        return asyncio.create_task(run())

    def let_go(self, number: int) -> None:
        self._ends[number].set()


async def test_lanes_take_turns_so_that_a_flood_starves_nobody(
    make: Make, clock: ManualClock
) -> None:
    requests = Requests(make(max_in_flight=1))
    tasks = [requests.begin("flood") for _ in range(20)]
    await clock.settle()
    tasks += [requests.begin("ann"), requests.begin("bob")]
    for number in range(len(tasks)):
        await clock.settle()
        requests.let_go(number)
    await asyncio.gather(*tasks)
    assert requests.order.index("ann") <= 3
    assert requests.order.index("bob") <= 4


async def test_no_more_are_in_flight_than_allowed(make: Make, clock: ManualClock) -> None:
    limits = make(max_in_flight=3)
    requests = Requests(limits)
    tasks = [requests.begin(str(n)) for n in range(7)]
    await clock.settle()
    assert (limits.in_flight, limits.waiting) == (3, 4)
    for number in range(7):
        requests.let_go(number)
    await asyncio.gather(*tasks)
    assert (limits.in_flight, limits.waiting) == (0, 0)


async def test_past_the_bound_the_longest_lane_is_told_that_the_bot_is_busy(
    make: Make, clock: ManualClock
) -> None:
    requests = Requests(make(max_in_flight=1, max_waiting=5))
    flood = [requests.begin("flood") for _ in range(6)]
    await clock.settle()
    ann = requests.begin("ann")
    await clock.settle()
    assert not ann.done()
    error = flood[-1].exception()
    assert isinstance(error, CallFailed)
    assert error.kind is ModelErrorKind.BUSY
    for number in range(7):
        requests.let_go(number)
    await asyncio.gather(*flood[:-1], ann)


async def test_a_request_that_is_cancelled_while_it_waits_leaves_no_trace(
    make: Make, clock: ManualClock
) -> None:
    limits = make(max_in_flight=1)
    requests = Requests(limits)
    first, second, third = (requests.begin("a") for _ in range(3))
    await clock.settle()
    second.cancel()
    requests.let_go(0)
    requests.let_go(2)
    await asyncio.gather(first, third)
    await clock.settle()
    assert (limits.in_flight, limits.waiting) == (0, 0)


async def test_a_request_cancelled_in_the_moment_of_its_turn_gives_it_back(
    make: Make, clock: ManualClock
) -> None:
    limits = make(max_in_flight=1)
    requests = Requests(limits)
    first, second = requests.begin("a"), requests.begin("b")
    await clock.settle()
    requests.let_go(0)
    await first  # the second has been given its turn, and has not run yet
    second.cancel()
    await clock.settle()
    assert limits.in_flight == 0


async def test_a_request_cancelled_right_before_its_turn_is_passed_over(
    make: Make, clock: ManualClock
) -> None:
    limits = make(max_in_flight=1)
    requests = Requests(limits)
    first, second, third = (requests.begin(lane) for lane in "abc")
    await clock.settle()
    requests.let_go(0)
    second.cancel()  # it hears of that only after the first one has ended
    await first
    requests.let_go(2)
    await third
    assert (requests.order, limits.in_flight, limits.waiting) == (["a", "c"], 0, 0)


async def test_a_request_cancelled_right_before_it_is_shed_is_shed(
    make: Make, clock: ManualClock
) -> None:
    limits = make(max_in_flight=1, max_waiting=1)
    requests = Requests(limits)
    first, cancelled = requests.begin("ann"), requests.begin("ann")
    await clock.settle()
    last = requests.begin("bob")
    cancelled.cancel()
    requests.let_go(0)
    requests.let_go(2)
    await asyncio.gather(first, last)
    assert (requests.order, limits.in_flight, limits.waiting) == (["ann", "bob"], 0, 0)


async def test_a_request_cancelled_in_the_moment_it_is_shed_gives_nothing_back(
    make: Make, clock: ManualClock
) -> None:
    requests = Requests(make(max_in_flight=1, max_waiting=1))
    first = requests.begin("ann")
    shed = requests.begin("ann")
    await clock.settle()
    kept = requests.begin("bob")
    await asyncio.sleep(0)
    shed.cancel()
    await asyncio.wait([shed])
    assert requests.limits.in_flight == 1
    requests.let_go(0)
    requests.let_go(2)
    await asyncio.wait([first, kept])
    assert requests.limits.in_flight == 0


@pytest.mark.parametrize(
    ("changes", "tokens"), [({"requests_per_minute": 4}, 0), ({"tokens_per_minute": 400}, 100)]
)
async def test_a_minute_never_holds_more_than_its_limit(
    make: Make, clock: ManualClock, changes: dict[str, int], tokens: int
) -> None:
    limits = make(**changes)
    begun: list[float] = []

    async def run() -> None:
        async with limits.slot("a", tokens):
            begun.append(clock.monotonic())

    tasks = [asyncio.create_task(run()) for _ in range(2)]
    await clock.advance(30)
    tasks += [asyncio.create_task(run()) for _ in range(10)]
    await clock.advance(300)
    await asyncio.gather(*tasks)
    assert all(later - earlier >= 60 for earlier, later in zip(begun, begun[4:], strict=False))
    assert begun[:6] == [0, 0, 30, 30, 60, 60]


async def test_what_a_request_really_took_counts(make: Make, clock: ManualClock) -> None:
    limits = make(tokens_per_minute=1000)
    async with limits.slot("a", 900) as slot:
        slot.correct(100)
    async with asyncio.timeout(PATIENCE), limits.slot("a", 900) as slot:
        slot.correct(1000)
    waiting = asyncio.create_task(hold(limits, 10))
    await clock.advance(59)
    assert not waiting.done()
    await clock.advance(2)
    await waiting


async def test_a_request_larger_than_the_limit_waits_for_an_empty_minute(
    make: Make, clock: ManualClock
) -> None:
    limits = make(tokens_per_minute=1000)
    await hold(limits, 10)
    large = asyncio.create_task(hold(limits, 5000))
    await clock.advance(59)
    assert not large.done()
    await clock.advance(2)
    await large


async def test_a_429_halves_what_is_in_flight_and_success_brings_it_back(
    make: Make, clock: ManualClock
) -> None:
    limits = make(max_in_flight=8)
    requests = Requests(limits)
    tasks = [requests.begin(str(n)) for n in range(8)]
    await clock.settle()
    await clock.advance(SHRINK_AGAIN)
    limits.refused()
    limits.refused()  # of the same volley
    assert limits.allowed == 4
    await clock.advance(SHRINK_AGAIN)
    limits.refused()
    assert limits.allowed == 2
    for _ in range(100):
        limits.succeeded()
    assert limits.allowed == 8
    for number in range(8):
        requests.let_go(number)
    await asyncio.gather(*tasks)


async def test_a_429_while_few_are_in_flight_does_not_make_a_crowd_wait_for_long(
    make: Make, clock: ManualClock
) -> None:
    limits = make(max_in_flight=100)
    requests = Requests(limits)
    task = requests.begin("one")
    await clock.advance(SHRINK_AGAIN)
    limits.refused()
    assert limits.allowed == 1
    rounds = 0
    while limits.allowed < 50:
        for _ in range(limits.allowed):  # as many answers as could be asked for at once
            limits.succeeded()
        rounds += 1
    assert rounds <= 6
    requests.let_go(0)
    await task


async def hold(limits: Limits, tokens: int) -> None:
    async with limits.slot("a", tokens):
        pass
