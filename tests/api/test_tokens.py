"""Counting tokens without a network."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.api.tokens import (
    Calibration,
    Estimate,
    RememberingCounter,
    count_tokens,
    estimate_tokens,
)
from bot.core.calibration import STEEPEST
from bot.core.documents import Document, Section, tell

ENGLISH = (
    "The ferry leaves at seven in the morning, unless the wind turns; then nobody knows. My "
    "grandmother used to wait for it on the pier with a thermos of tea, and she never once "
    "complained about the cold."
)
CHINESE = (
    "渡船早上七点出发，除非风向变了，那就谁也说不准。我外婆以前总是带着一壶热茶在码头等船，"
    "从来没有抱怨过天气冷。"
)
JAPANESE = (
    "船は朝七時に出ますが、風向きが変わると誰にも分かりません。"
    "祖母はいつも熱いお茶を持って桟橋で待っていました。"
)
GERMAN = (
    "Die Fähre fährt um sieben Uhr morgens ab, es sei denn, der Wind dreht; dann weiß es niemand. "
    "Meine Großmutter wartete früher mit einer Thermoskanne Tee am Anleger."
)
RUSSIAN = (
    "Паром уходит в семь утра, если только не переменится ветер; тогда никто не знает. Бабушка "
    "всегда ждала его на причале с термосом чая."
)
CODE = """def ferry(hour: int, wind: float) -> bool:
    \"\"\"Whether it leaves.\"\"\"
    if wind > 17.2:
        return False
    return hour == 7


for day in range(31):
    print(day, ferry(7, winds[day]))
"""
JSON = (
    '{"ferry": {"leaves": "07:00", "seats": 120, "stops": ["Pier 1", "Island", "Lighthouse"], '
    '"runs": true}}'
)
TABLE = """| Hour | Wind (m/s) | Ferry |
| --- | ---: | --- |
| 07:00 | 4.5 | leaves |
| 12:00 | 17.9 | waits |
"""


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (ENGLISH, 44),
        (CHINESE, 50),
        (JAPANESE, 45),
        (GERMAN, 41),
        (RUSSIAN, 38),
        (CODE, 58),
        (JSON, 41),
        (TABLE, 45),
    ],
)
def test_the_count_is_near_to_what_the_vocabulary_o200k_base_says(text: str, tokens: int) -> None:
    assert 0.8 * tokens < count_tokens(text) < 1.25 * tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        pytest.param("[][(![]+[])[+[]]+(![]+[])[!+[]+!+[]]]" * 500, 11_000, id="jsfuck"),
        pytest.param("++[->+++<]>.,[>+<-]" * 1_000, 12_000, id="brainfuck"),
        pytest.param("!" * 20_000, 1_250, id="one sign"),
        pytest.param("\n " * 10_000, 5_001, id="empty lines"),
        pytest.param("\t" * 20_000, 1_250, id="tabs"),
        pytest.param("\x01" * 20_000, 20_000, id="control characters"),
        pytest.param("".join(map(chr, range(0x2800, 0x2900))) * 50, 38_000, id="braille"),
        pytest.param("".join(map(chr, range(0x13000, 0x13100))) * 50, 51_000, id="hieroglyphs"),
    ],
)
def test_no_text_takes_so_much_more_than_its_count_that_others_suffer_from_it(
    text: str, tokens: int
) -> None:
    """What a refusal tells of it is believed of every conversation with the model."""
    assert tokens / count_tokens(text) <= STEEPEST / 2


def test_a_file_of_signs_is_cut_to_the_room() -> None:
    sections = tuple(Section(mark=f"line {n}", text="[+!+[]](![]+[])" * 20) for n in range(200))
    told = tell("signs.js", Document(sections=sections), room=2_000, count=count_tokens)
    assert "[Left out for want of room: line" in told


@given(st.text(max_size=200), st.integers(0, 200))
def test_the_beginning_of_a_text_takes_no_more_than_all_of_it(text: str, end: int) -> None:
    assert count_tokens(text[:end]) <= count_tokens(text)


@pytest.mark.parametrize("character", ["中", "ж", "🙂"])
def test_a_long_text_is_counted_without_taking_its_memory_many_times(character: str) -> None:
    text = character * 1_000_000
    tracemalloc.start()
    try:
        count_tokens(text)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 10_000_000


def test_nothing_has_no_tokens_and_half_a_character_is_no_fault() -> None:
    assert count_tokens("") == 0
    assert count_tokens("half a pair: \ud83d") > 0


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
