"""Whatever a model writes, Telegram takes it, whole and cut anywhere, and nothing of it is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bot.core.delivery.graphemes import is_boundary
from bot.core.delivery.markdown import open_fence
from bot.core.delivery.partial import settle
from bot.core.delivery.split import pages as split_pages
from bot.platforms.telegram.markdown.render import (
    MAX_ENTITIES,
    MAX_TEXT,
    Rendered,
    measure,
    pages,
    render,
)
from bot.sandbox.telegram.judge import Formatted, Tdlib
from tests.markdown_texts import markdown_texts, words_of
from tests.platforms.telegram.markdown.judging import judged, outside_code

RAW = re.compile(r"\*\*|__|~~|```|\]\(|^#{1,6} ", re.MULTILINE)

some = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.filter_too_much],
)


@pytest.fixture(scope="module")
def telegram_parser() -> Tdlib:
    return Tdlib()


def accepted(parser: Tdlib, page: Rendered) -> Formatted:
    """What Telegram makes of a page: its very text."""
    seen = judged(parser, page)
    assert seen.text == page.text
    return seen


@given(text=markdown_texts)
@some
def test_a_whole_text_is_taken_with_every_word_and_no_marker(
    text: str, telegram_parser: Tdlib
) -> None:
    rendered = render(text)
    assert words_of(rendered.text) == words_of(text)
    assert not RAW.search(outside_code(rendered)), rendered.text
    for page in pages(rendered):
        accepted(telegram_parser, page)


@given(text=markdown_texts, data=st.data())
@some
def test_a_text_cut_anywhere_is_taken_without_a_marker(
    text: str, data: st.DataObject, telegram_parser: Tdlib
) -> None:
    cut = data.draw(st.integers(1, len(text)))
    shown = render(settle(text[:cut]), partial=True)
    words = words_of(text)
    seen = words_of(shown.text)
    assert seen[:-1] == words[: max(0, len(seen) - 1)]
    assert not RAW.search(outside_code(shown)), shown.text
    for page in pages(shown):
        if page.is_visible:
            accepted(telegram_parser, page)
    for page in pages(render(text[:cut])):
        accepted(telegram_parser, page)  # as a stream that broke leaves it


@given(text=markdown_texts)
@some
def test_a_text_is_never_measured_as_less_than_it_takes(text: str) -> None:
    rendered = render(text)
    assert measure(text) >= rendered.length
    if len(rendered.entities) > MAX_ENTITIES:
        assert measure(text) > MAX_TEXT


@given(text=markdown_texts, limit=st.integers(400, 900))
@some
def test_pages_are_whole_in_themselves_and_together(
    text: str, limit: int, telegram_parser: Tdlib
) -> None:
    # A line of emphasis that is longer than a page is cut in a word if it must be.
    assume(max(map(measure, text.split("\n"))) < limit // 2)
    cut = list(split_pages(text, limit, measure))
    together = [word for page in cut for word in words_of(page)]
    heads = {
        word
        for row in re.findall(r"^\|.*\|(?=\n\|[ :|-]+\|$)", text, re.MULTILINE)
        for word in words_of(row)
    }
    assert [w for w in together if w not in heads] == [w for w in words_of(text) if w not in heads]
    assert set(words_of(text)) == set(together)
    for page in cut:
        assert open_fence(page) is None
        rendered = render(page)
        accepted(telegram_parser, rendered)
        assert is_boundary(text, text.find(page[-3:]) + 3) or page[-3:] not in text
