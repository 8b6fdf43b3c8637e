"""Reasoning and pictures inside a text, wherever the stream is cut."""

from __future__ import annotations

import base64
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.api.protocols.pictures import InlinePictures
from bot.api.protocols.think import ThinkSplitter
from bot.core.chat import ImageDelta, ReasoningDelta, TextDelta

CUTS = st.lists(st.integers(0, 80), max_size=10)
NEAR = st.lists(
    st.sampled_from(["<", "think", ">", "</", "</think>", "<think>", " ", "\n", "a", "!"])
).map("".join)
GIF = b"GIF89a" + bytes(20)
NO_PICTURE = (
    "Start with `![logo](data:image/png;base64,` and paste the data (all of it).\n\nThat is all.",
    "![Alt](data:image/png;base64,<your base64 here>)",
    "![](data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUA...)",
    "![x](data:image/png;base64,YOUR_BASE64_HERE) and on",
    "![x](data:image/png;base64,base64data==) and on",
    "![x](data:image/png;base64,AAAA BBBB)",
    "![x](data:image/svg+xml;utf8,<svg/>)",
    "![x](data:image/svg+xml,%3Csvg/%3E)",
    "![x](data:image/png)",
    "![x](data:image/png;base64",
    "![x](data:image/",
)
PICTURE = f"![p](data:image/gif;base64,{base64.b64encode(GIF).decode()})"
MARKED = st.lists(
    st.sampled_from(
        ["!", "[", "](", ")", "![", "![x](http://h/p.png)", PICTURE, *NO_PICTURE, "\n", "a"]
    )
).map("".join)


def pieces(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


def split(parts: list[str]) -> tuple[str, str]:
    """The reasoning and the answer."""
    splitter = ThinkSplitter()
    events = [event for part in parts for event in splitter.feed(part)] + splitter.end()
    thought = "".join(e.text for e in events if isinstance(e, ReasoningDelta))
    return thought, "".join(e.text for e in events if isinstance(e, TextDelta))


def extract(parts: list[str]) -> tuple[str, list[bytes]]:
    """The text and the pictures."""
    pictures = InlinePictures()
    events = [event for part in parts for event in pictures.feed(part)] + pictures.end()
    text = "".join(e.text for e in events if isinstance(e, TextDelta))
    return text, [e.data for e in events if isinstance(e, ImageDelta)]


@given(NEAR, CUTS)
def test_no_cut_changes_what_is_reasoning(text: str, cuts: list[int]) -> None:
    assert split(pieces(text, cuts)) == split([text])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<think>a</think>b", ("a", "b")),
        (" \n<think>a\n</think>\n\nb c", ("a\n", "b c")),
        ("<thinking>a</thinking>b", ("a", "b")),
        ("<thought>a</thought>b", ("a", "b")),
        ("Use <think> tags</think>", ("", "Use <think> tags</think>")),
        ("<think>a</think>b<think>c</think>", ("a", "b<think>c</think>")),
        ("<think>never closed", ("never closed", "")),
        ("<thin", ("", "<thin")),
        ("<think></think>b", ("", "b")),
        ("", ("", "")),
    ],
)
def test_reasoning_stands_at_the_beginning(text: str, expected: tuple[str, str]) -> None:
    assert split([text]) == expected
    assert split(list(text)) == expected


@example(f"![\n{PICTURE}", [3])
@example(f"![{'a' * 300}](data:image/gif;base64,R0lGODlhAAAA)", [303])
@given(MARKED, CUTS)
def test_no_cut_changes_what_is_a_picture(text: str, cuts: list[int]) -> None:
    assert extract(pieces(text, cuts)) == extract([text])


@given(MARKED.filter(lambda text: "](data:" not in text), CUTS)
def test_a_text_without_a_picture_is_passed_on_as_it_is(text: str, cuts: list[int]) -> None:
    assert extract(pieces(text, cuts)) == (text, [])


@pytest.mark.parametrize("text", NO_PICTURE)
def test_what_only_looks_like_a_picture_is_text(text: str) -> None:
    assert extract([text]) == (text, [])
    assert extract(list(f"a{text}b{PICTURE}")) == (f"a{text}b", [GIF])


@pytest.mark.parametrize("title", [' "A cat."', '\t"on a mat (red"', " ", "\n"])
def test_a_picture_may_have_a_title(title: str) -> None:
    text = f"{PICTURE[:-1]}{title})"
    assert extract([text]) == extract(list(text)) == ("", [GIF])


def test_pictures_are_taken_out_of_the_text() -> None:
    assert extract([f"a{PICTURE}b!{PICTURE}"]) == ("ab!", [GIF, GIF])
    assert extract([f"a{PICTURE[:-9]}"]) == ("a", [])  # half a picture is none


def test_a_picture_in_small_pieces_takes_linear_time() -> None:
    data = base64.b64encode(b"GIF89a" + bytes(1_000_000)).decode()
    text = f"![p](data:image/gif;base64,{data})"
    _, found = extract([text[at : at + 10] for at in range(0, len(text), 10)])
    assert [len(each) for each in found] == [1_000_006]
