from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from bot.core.delivery.rules import most_added, with_rules

READER = MarkdownIt("commonmark").enable("table")


@pytest.mark.parametrize(
    "text",
    [
        "All of this was said.\n---\nAnd this is new.",
        "> said in a quote:\n> ---\n> new",
        "- an item\n  ---\n  more of it",
        "one\n\ntwo\nthree   \n ---  ",
    ],
)
def test_three_dashes_under_words_are_a_rule_and_make_no_heading_of_them(text: str) -> None:
    assert "<h2>" in READER.render(text)
    page = READER.render(with_rules(text))
    assert "<hr />" in page and "<h" not in page.replace("<hr", "")
    assert len(with_rules(text)) <= len(text) + most_added(text)


@pytest.mark.parametrize(
    "text",
    [
        "Title\n-----\nText",
        "```\nname: x\n---\n```",
        "| a |\n---\n| b |",
        "a | b\n---|---\n1 | 2",
        "words\n\n---\n\nwords",
    ],
)
def test_other_dashes_stay_as_they_are(text: str) -> None:
    assert with_rules(text) == text
