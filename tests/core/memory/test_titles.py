"""Titles from what people and models write."""

from __future__ import annotations

import time

from bot.core.memory.titles import clean


def test_a_title_of_many_lines_is_one_line_and_takes_no_time() -> None:
    began = time.process_time()
    assert clean("# Trains\n" + "\n" * 40_000 + "to Bern") == "Trains to Bern"
    assert time.process_time() - began < 5
