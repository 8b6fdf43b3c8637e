from __future__ import annotations

import pytest

from bot.core.delivery.graphemes import boundary_after, boundary_before, is_boundary


@pytest.mark.parametrize(
    ("text", "boundaries"),
    [
        ("ab", [0, 1, 2]),
        ("a\r\nb", [0, 1, 3, 4]),
        ("e\u0301x", [0, 2, 3]),
        ("👨‍👩‍👧!", [0, 5, 6]),
        ("👍🏽👍", [0, 2, 3]),
        ("🇩🇪🇫🇷", [0, 2, 4]),
        ("x🇩🇪", [0, 1, 3]),
        ("1\ufe0f\u20e32", [0, 3, 4]),
        ("क्षि", [0, 4]),
        ("क् ", [0, 2, 3]),
        ("ก\u0e33ข", [0, 2, 3]),
        ("\u1112\u1161\u11ab한", [0, 3, 4]),
        ("\ud83d\ude00", [0, 2]),
        ("\u200d a", [0, 1, 2, 3]),
        ("\n\u0301a", [0, 1, 2, 3]),
        ("词语", [0, 1, 2]),
    ],
)
def test_characters_stay_whole(text: str, boundaries: list[int]) -> None:
    assert [at for at in range(len(text) + 1) if is_boundary(text, at)] == boundaries


def test_the_nearest_boundary_is_found_on_both_sides() -> None:
    text = "a👨‍👩‍👧b"
    assert boundary_before(text, 3) == 1
    assert boundary_after(text, 3) == 6
    assert boundary_before(text, 6) == boundary_after(text, 6) == 6
