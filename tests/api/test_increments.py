"""Pieces of a text, and pieces that repeat it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.api.protocols.increments import Increments


def read(pieces: list[str]) -> str:
    """The text of all pieces, as it is told."""
    increments = Increments()
    return "".join([*map(increments.feed, pieces), increments.end()])


def repeats(pieces: list[str]) -> bool:
    """Whether the second piece begins with the first one."""
    first, second, *_ = [*[piece for piece in pieces if piece], "", ""]
    return second.startswith(first) and second != first


@given(st.lists(st.text("ab 1")))
def test_nothing_is_lost_or_doubled_of_pieces(pieces: list[str]) -> None:
    if not repeats(pieces):
        assert read(pieces) == "".join(pieces)


@given(st.lists(st.text("ab 1", min_size=1), min_size=3))
def test_pieces_that_repeat_all_before_them_give_the_text_once(pieces: list[str]) -> None:
    sums = ["".join(pieces[:end]) for end in range(1, len(pieces) + 1)]
    assert read(sums) == sums[-1]
