from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack, aclosing

from bot import api as api_room
from bot.api.cadence import Cadence, Pause
from bot.api.client import ApiClient
from bot.api.settings import ApiSettings
from bot.core.chat import ModelEvent
from bot.core.fakes.clock import ManualClock
from bot.sandbox.openai import serve_scripted
from tests.api.asking import is_finished, question
from tests.patience import PATIENCE


class BusyClock(ManualClock):
    """Whoever is to be called is called `late` seconds after the time."""

    late = 0.0

    def later(self, seconds: float, call: Callable[[], None]) -> Callable[[], object]:
        return super().later(seconds + self.late, call)


async def seconds(clock: ManualClock, pause: Pause) -> float:
    """How long a pause is, in an answer that goes on."""

    async def one() -> float:
        before = clock.monotonic()
        await pause(asyncio.Event())
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
            assert 0.2 < await seconds(clock, pause) < 0.5
            for _ in range(10_000):
                others.enter_context(cadence.reading())
            assert await seconds(clock, pause) == 0.5
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


async def test_an_answer_that_is_all_there_is_read_at_once() -> None:
    clock = ManualClock()
    cadence = Cadence(clock)
    with cadence.reading() as pause, cadence.reading():
        complete = asyncio.Event()
        reading = asyncio.ensure_future(pause(complete))
        complete.set()
        await reading
        await pause(complete)
        assert clock.monotonic() == 0.0


async def heard(client: ApiClient, began: asyncio.Event) -> list[ModelEvent]:
    """All events of an answer; says when it has begun."""
    events: list[ModelEvent] = []
    async with aclosing(client.stream(question(model="gpt-4o-mini"))) as stream:
        async for event in stream:
            events.append(event)
            began.set()
    return events


async def test_the_end_of_one_answer_among_others_waits_for_no_pause() -> None:
    clock = ManualClock()  # nobody moves it: a pause would last for ever
    async with serve_scripted() as api:
        client = api_room.connect(ApiSettings(base_urls=(api.url,), list_prices=False), clock=clock)
        begun = [asyncio.Event(), asyncio.Event()]
        try:
            async with asyncio.timeout(PATIENCE):
                with api.held(), api.held():
                    hearing = [asyncio.create_task(heard(client, began)) for began in begun]
                    for began in begun:
                        await began.wait()
                answers = await asyncio.gather(*hearing)
        finally:
            await client.close()
    assert all(is_finished(events) for events in answers)
