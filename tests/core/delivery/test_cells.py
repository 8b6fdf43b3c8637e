from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from bot.core.delivery.cells import most_added, with_cells

READER = MarkdownIt("commonmark").enable("table")
"""An independent reader of tables, which drops the cells that are too many."""


def rows(text: str) -> list[list[str]]:
    """The cells that somebody sees, row by row, with backticks for code."""
    page = str(READER.render(text)).replace("<code>", "`").replace("</code>", "`")
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in page.split("<tr>")]
    return [row for row in cells if row]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("| `a | b` | c |", ["`a | b`", "c"]),
        ("| `|` | or |", ["`|`", "or"]),
        ("| `a || b` | x `c|d`|", ["`a || b`", "x `c|d`"]),
        ("| ``a ` | b`` | c |", ["`a ` | b`", "c"]),
        ("`a|b` | c", ["`a|b`", "c"]),
        ("| `a \\| b|c` | d |", ["`a | b|c`", "d"]),
        ("| $|x|$ | $P(A|B)$ |", ["$\\vert{}x\\vert{}$", "$P(A\\vert{}B)$"]),
        ("| \\(|x|\\) | c |", ["(\\vert{}x\\vert{})", "c"]),
    ],
)
def test_pipes_in_code_and_formulas_part_no_cells(text: str, seen: list[str]) -> None:
    for begin in ("", "> ", "  "):
        table = f"{begin}| h | i |\n{begin}|---|:-:|\n{begin}{text}\n{begin}| k | l |"
        assert rows(table)[1] != seen
        changed = with_cells(table)
        assert rows(changed)[1:] == [seen, ["k", "l"]]
        code = changed.replace("\\vert{}", "∣")  # what a formula becomes where none is drawn
        assert len(code.encode()) <= len(table.encode()) + most_added(table)


def test_a_head_with_a_pipe_in_code_is_one() -> None:
    text = "| `|` | b |\n|---|---|\n| 1 | 2 |"
    assert not rows(text)
    assert rows(with_cells(text)) == [["`|`", "b"], ["1", "2"]]


@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n|---|---|\n| `c | d` |",
        "| a | b |\n|---|---|\n| $5 | $6 |\n| $5 | $6 | $7 |",
        "| a | b |\n|---|---|\n| `x \\| y` | z |",
        "```\n| a |\n|---|\n| `b | c` |\n```",
        "the `a | b` of it",
        "the `a` of it",
        "| no table | `a | b` |",
    ],
)
def test_what_is_meant_otherwise_stays(text: str) -> None:
    assert with_cells(text) == text
