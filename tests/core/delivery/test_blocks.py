from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from bot.core.delivery.blocks import most_added, with_blocks

READER = MarkdownIt("commonmark").enable("table")


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n| 1 | 2 |\nwords under it",
        "> | a |\n> |---|\n> | 1 |\n> words under it\n",
        "- x\n\n  | a |\n  |---|\n  | 1 |\n  words under it",
        "| a |\n|---|\nwords under it",
    ],
)
def test_words_under_a_table_are_no_row_of_it(text: str) -> None:
    assert "<td>words under it</td>" in READER.render(text)
    changed = with_blocks(text)
    assert ">words under it<" in READER.render(changed).replace("\n", "")
    assert "<td>words" not in READER.render(changed)
    assert len(changed) <= len(text) + most_added(text)


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n---|---\n| 1 | 2 |\n\nwords",
        "a | b\n---|---\n1 | 2\n3",
        "| a |\n|---|\n| 1 |\n- item",
        "```\n| a |\nwords\n```",
        "```\n| a |\n|---|\n| 1 |\nwords\n```",
        "```\n| a |\n|---|\n| 1 |\nwords\n```",
        "+---+\n| a |\n+---+",
        "| a |\n| b |\nwords",
        "[!NOTE]\n> [!OTHER]\n> `[!NOTE]`",
    ],
)
def test_other_blocks_stay_as_they_are(text: str) -> None:
    assert with_blocks(text) == text


def test_the_name_of_an_alert_is_bold() -> None:
    text = "> [!WARNING]\n> hot\n\n> [!TIP]\n> cold"
    assert with_blocks(text) == "> **Warning**\n> hot\n\n> **Tip**\n> cold"
    assert len(with_blocks(text)) <= len(text) + most_added(text)
