"""Titles from what people and models write."""

from __future__ import annotations

import time

import pytest

from bot.core.memory.titles import clean


def test_a_title_of_many_lines_is_one_line_and_takes_no_time() -> None:
    began = time.process_time()
    assert clean("# Trains\n" + "\n" * 40_000 + "to Bern") == "Trains to Bern"
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("《假期计划》", "假期计划"),
        ("「假期计划」。", "假期计划"),
        ("《红楼梦》读后感", "《红楼梦》读后感"),
        ("一，" * 40, "一，" * 23 + "一…"),
    ],
)
def test_a_chinese_title_has_no_marks_around_it(written: str, title: str) -> None:
    assert clean(written) == title
