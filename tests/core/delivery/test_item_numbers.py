from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.core.delivery.item_numbers import most_added, most_lists, with_own_numbers
from bot.core.delivery.split import pages

READER = MarkdownIt("commonmark")


def lists(text: str) -> int:
    """How many lists with numbers a reader of Markdown sees."""
    return sum(token.type == "ordered_list_open" for token in READER.parse(text))


def seen(text: str) -> list[str]:
    """The items of a text as a reader of Markdown shows them: their numbers and first words."""
    counters: list[int | None] = []
    items: list[str] = []
    before: Token | None = None
    for token in READER.parse(text):
        if token.type.endswith("_list_open"):
            is_counted = token.type == "ordered_list_open"
            counters.append(int(token.attrs.get("start", 1)) if is_counted else None)
        elif token.type.endswith("_list_close"):
            counters.pop()
        elif token.type == "inline" and before and before.type == "list_item_open":
            number = counters[-1]
            items.append(f"{'•' if number is None else number} {token.content}")
            counters[-1] = None if number is None else number + 1
        before = token if token.type != "paragraph_open" else before
    return items


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("2. B\n5. D\n7. A\n8. C", ["2 B", "5 D", "7 A", "8 C"]),
        ("1. May\n6. June\n1. July\n3. August", ["1 May", "6 June", "1 July", "3 August"]),
        ("2. B\n5. D\n7) A\n9) C", ["2 B", "5 D", "7 A", "9 C"]),
        ("1) a\n2) b\n2) c\n4) d", ["1 a", "2 b", "2 c", "4 d"]),
        ("words:\n\n9. a\n7. b\n", ["9 a", "7 b"]),
        ("3. a\n   - x\n   - y\n5. b", ["3 a", "• x", "• y", "5 b"]),
        (
            "- x\n\n  3. a\n  5. b\n- y\n\n  3. c\n  5. d",
            ["• x", "3 a", "5 b", "• y", "3 c", "5 d"],
        ),
        ("> 3. a\n> 5. b\n\nwords\n\n9. c", ["3 a", "5 b", "9 c"]),
        ("2. a\n\n   more\n\n5. b\n\n   more\n6. c", ["2 a", "5 b", "6 c"]),
        ("1. a\n  1. x\n  2. y\n2. b\n  1. z\n3. c", ["1 a", "1 x", "2 y", "2 b", "1 z", "3 c"]),
        ("12. a\n   3. x\n   4. y\n13. b", ["12 a", "3 x", "4 y", "13 b"]),
        (
            "9. a\n   1. w\n10. b\n   1. x\n   2. y\n11. c",
            ["9 a", "1 w", "10 b", "1 x", "2 y", "11 c"],
        ),
    ],
)
def test_numbers_are_seen_as_they_were_written(text: str, items: list[str]) -> None:
    assert seen(text) != items
    assert seen(with_own_numbers(text)) == items
    assert lists(with_own_numbers(text)) <= most_lists(text)
    assert len(with_own_numbers(text)) <= len(text) + most_added(text)


@pytest.mark.parametrize(
    "text",
    [
        "1. a\n1. b\n1. c",
        "1. a\n2. b\n\n1. c\n2. d",
        "1. a\n2. b\n   1. x\n   2. y\n3. c\n   1. z",
        "1. a\n\nwords\n\n2. b",
        "words:\n12. a\n15. b",
        "```\n2. a\n5. b\n- 6. c\n```",
        "    2. a\n    5. b",
    ],
)
def test_what_is_counted_well_or_is_no_list_stays(text: str) -> None:
    assert with_own_numbers(text) == text
    assert most_lists(text) == 0


@pytest.mark.parametrize("sign", ["-", "*", "> +"])
def test_a_date_in_an_item_is_no_list_in_it(sign: str) -> None:
    text = f"{sign} 6. June: a\n{sign} 8. July: b"
    assert seen(text) == ["6 June: a", "8 July: b"]
    assert seen(with_own_numbers(text)) == ["• 6\\. June: a", "• 8\\. July: b"]
    assert len(with_own_numbers(text)) <= len(text) + most_added(text)


def test_a_page_goes_on_with_the_number_that_was_written() -> None:
    text = "2. some\n\n   and more of it\n5. other\n\n   and more of it\n9. last"
    items = [item for page in pages(text, 30) for item in seen(with_own_numbers(page))]
    assert items == ["2 some", "5 other", "9 last"]
