"""Pages of a long text look like the parts of the whole that they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.delivery.split import pages
from bot.platforms.telegram.markdown.render import Rendered, measure, render
from tests.markdown_texts import nested_texts, words_of
from tests.platforms.telegram.markdown.judging import outside_code

RAW = re.compile(r"^\s*(?:[-*+>]|#{1,6}) |\*\*|~~|```|\]\(", re.MULTILINE)
LINE = re.compile(r"(?P<indent>[ \u00a0]*)(?P<sign>[•☐☑]|\d+\.)? ?(?P<words>.*)")


BARE = re.compile(r"(?:[-+*]|\d+[.)])(?: …)?\n")
"""A page begins with it that begins deep in a list."""


class Word(NamedTuple):
    """A word, and the formatting that it has."""

    word: str
    formats: frozenset[str]


class Item(NamedTuple):
    """A line that begins an item of a list: its indentation, its sign and its first word."""

    indent: int
    sign: str
    word: str


def formatted_words(rendered: Rendered) -> list[Word]:
    """The numbered words in their order."""
    units = "".join(c if c < "\U00010000" else c + " " for c in rendered.text)
    found = []
    for match in re.finditer(r"w\d+", units):
        at = match.start()
        formats = {e.type for e in rendered.entities if e.offset <= at < e.offset + e.length}
        found.append(Word(match[0], frozenset(formats)))
    return found


def items(rendered: Rendered) -> Iterator[Item]:
    """The items of the lists, from top to bottom."""
    for line in rendered.text.split("\n"):
        match = LINE.match(line)
        assert match is not None
        if match["sign"] and (words := words_of(line)):
            yield Item(len(match["indent"]), match["sign"], words[0])


def table_heads(text: str) -> set[str]:
    """The words that are repeated on every page of a table."""
    rows = re.findall(r"^\|.*\|(?=\n\|[ :|-]+\|$)", text, re.MULTILINE)
    return {word for row in rows for word in words_of(row)}


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(text=nested_texts, limit=st.integers(300, 600), around=st.sampled_from([None, "", "…"]))
def test_pages_look_like_the_parts_of_the_whole(text: str, limit: int, around: str | None) -> None:
    whole, heads = render(text), table_heads(text)
    cut = list(pages(text, limit, measure, around=around))
    shown = [render(page) for page in cut]
    assert all(page.length <= limit for page in shown)
    together = [word for page in shown for word in formatted_words(page)]
    expected = [word for word in formatted_words(whole) if word.word not in heads]
    assert [word for word in together if word.word not in heads] == expected
    assert not RAW.search(outside_code(whole))
    known = {item.word: item for item in items(whole)}
    indent = 0  # of the last item
    for source, page in zip(cut, shown, strict=True):
        assert not RAW.search(outside_code(page)), page.text
        shift = 0 if BARE.match(source) else indent + 2
        for item in items(page):
            meant = known.pop(item.word)
            assert item.sign == meant.sign
            assert 0 <= meant.indent - item.indent <= shift, page.text
            indent, shift = meant.indent, meant.indent - item.indent
    assert not known
