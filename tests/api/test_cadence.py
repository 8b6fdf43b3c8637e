from __future__ import annotations

from contextlib import ExitStack

from bot.api.cadence import Cadence


def test_an_answer_alone_is_read_as_it_comes() -> None:
    with Cadence().reading() as pause:
        assert pause() == 0.0


def test_of_many_answers_each_is_read_less_often_but_nobody_waits_long() -> None:
    cadence = Cadence()
    with cadence.reading() as pause:
        with ExitStack() as others:
            for _ in range(199):
                others.enter_context(cadence.reading())
            assert 0.1 < pause() < 0.25
            for _ in range(10_000):
                others.enter_context(cadence.reading())
            assert pause() == 0.25
        assert pause() == 0.0
