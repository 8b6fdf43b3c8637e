"""Counting tokens without a network."""

from __future__ import annotations

import subprocess
import sys
import time

from hypothesis import given
from hypothesis import strategies as st

from bot.api.tokens import (
    Calibration,
    Estimate,
    RememberingCounter,
    count_tokens,
    estimate_tokens,
)


def test_tokens_are_counted_as_the_vocabulary_says() -> None:
    assert count_tokens("") == 0
    assert count_tokens("hello world") == 2
    assert count_tokens("你好，世界") == 3
    assert count_tokens("<|endoftext|>") > 1  # words, not a command
    assert count_tokens("half a pair: \ud83d") > 0


def test_the_vocabulary_is_loaded_by_the_first_count_only() -> None:
    code = "import sys, bot.api; print('rs_bpe' in sys.modules, 'aiohttp' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]


@given(st.lists(st.text(max_size=150)))
def test_a_text_that_was_counted_before_has_as_many_tokens(texts: list[str]) -> None:
    count = RememberingCounter()
    for _ in range(2):
        assert [count(text) for text in texts] == [count_tokens(text) for text in texts]


def test_a_talk_that_is_counted_for_each_answer_takes_its_time_once() -> None:
    count, words = RememberingCounter(), [f"word{number} " for number in range(200_000)]

    def seconds() -> float:
        text = "".join(words)  # what is read from the database is another string each time
        began = time.thread_time()
        count(text)
        return time.thread_time() - began

    assert seconds() > 4 * seconds()


@given(st.text(max_size=200))
def test_the_estimate_is_never_absurd(text: str) -> None:
    assert len(text) / 4 <= estimate_tokens(text) <= len(text)


def test_the_estimate_is_close_for_prose() -> None:
    english = "The quick brown fox jumps over the lazy dog, again and again. " * 20
    assert 0.7 < estimate_tokens(english) / count_tokens(english) < 1.6


def test_what_the_api_reports_corrects_the_estimate_of_its_model() -> None:
    calibration = Calibration()
    for _ in range(50):
        calibration.learn("m", 100, 150)
    assert 145 <= calibration.corrected("m", 100) <= 150
    assert calibration.corrected("other", 100) == 100
    calibration.learn("m", 100, 1_000_000)
    assert calibration.corrected("m", 100) <= 220


@given(st.lists(st.text()))
def test_a_text_in_pieces_is_estimated_like_the_whole(pieces: list[str]) -> None:
    estimate = Estimate()
    for piece in pieces:
        estimate.add(piece)
    assert estimate.tokens == estimate_tokens("".join(pieces))
