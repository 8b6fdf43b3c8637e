from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from bot.api.cadence import Cadence
from bot.core.fakes.clock import ManualClock


class BusyClock(ManualClock):
    """Whoever sleeps is woken `late` seconds after the time."""

    late = 0.0

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds + self.late)


async def seconds(clock: ManualClock, pause: Callable[[], Awaitable[None]]) -> float:
    """How long a pause is."""

    async def one() -> float:
        before = clock.monotonic()
        await pause()
        return clock.monotonic() - before

    return await clock.drive(one())


async def test_an_answer_alone_is_read_as_it_comes() -> None:
    clock = ManualClock()
    with Cadence(clock).reading() as pause:
        assert await seconds(clock, pause) == 0.0


async def test_of_many_answers_each_is_read_less_often_but_nobody_waits_long() -> None:
    clock = ManualClock()
    cadence = Cadence(clock)
    with cadence.reading() as pause:
        with ExitStack() as others:
            for _ in range(199):
                others.enter_context(cadence.reading())
            assert 0.1 < await seconds(clock, pause) < 0.25
            for _ in range(10_000):
                others.enter_context(cadence.reading())
            assert await seconds(clock, pause) == 0.25
        assert await seconds(clock, pause) == 0.0


async def test_while_the_process_is_behind_answers_are_read_still_less_often() -> None:
    clock = BusyClock()
    cadence = Cadence(clock)
    with cadence.reading() as pause, cadence.reading():
        clock.late = 0.1
        for _ in range(50):
            await seconds(clock, pause)
        assert 0.7 < await seconds(clock, pause) - clock.late < 0.8
        clock.late = 0.0
        for _ in range(50):
            await seconds(clock, pause)
        assert await seconds(clock, pause) < 0.05
