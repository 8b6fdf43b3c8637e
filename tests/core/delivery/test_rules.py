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
        "Title\n-----\nText",
        "Title\n=====\nText",
        "> Title\n> ===\n> Text",
        "Title\n===\n```\nname\n===\n```",
    ],
)
def test_a_line_under_words_is_a_rule_and_makes_no_heading_of_them(text: str) -> None:
    assert "<h1>" in READER.render(text) or "<h2>" in READER.render(text)
    page = READER.render(with_rules(text))
    assert "<hr />" in page and "<h" not in page.replace("<hr", "")
    assert len(with_rules(text)) <= len(text) + most_added(text)


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("10\n=\n2 * 5", "<p>10</p>\n<p>=\n2 * 5</p>\n"),
        ("Yours,\n--\nAda", "<p>Yours,</p>\n<p>--\nAda</p>\n"),
        ("words\n-\n  more", "<p>words</p>\n<ul>\n<li>more</li>\n</ul>\n"),
    ],
)
def test_fewer_signs_under_words_make_no_heading_of_them_either(text: str, page: str) -> None:
    assert "<h" in READER.render(text)
    assert READER.render(with_rules(text)) == page


@pytest.mark.parametrize(
    "text",
    [
        "- one\n-\n- two",
        "-\n  -\n    - two",
        "```\nname: x\n---\n```",
        "```\nname\n=====\n```",
        "| a |\n---\n| b |",
        "a | b\n---|---\n1 | 2",
        "words\n\n---\n\nwords",
    ],
)
def test_other_signs_stay_as_they_are(text: str) -> None:
    assert with_rules(text) == text
