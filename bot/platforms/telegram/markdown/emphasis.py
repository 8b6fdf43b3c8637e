"""Emphasis that CommonMark would not see, as the HTML that means the same.

All of it is emphasised that a model meant so, its punctuation too.
"""

from __future__ import annotations

from bot.core.delivery.blocks import with_blocks
from bot.core.delivery.emphasis import literally, missed, remembered, where_missed

_TAGS = {
    "*": ("<i>", "</i>"),
    "**": ("<b>", "</b>"),
    "__": ("<b>", "</b>"),
    "~~": ("<s>", "</s>"),
    "***": ("<b><i>", "</i></b>"),
}


def with_html_emphasis(markdown: str) -> str:
    """The text with emphasis as HTML where it would not be seen, and with signs that are none."""
    return where_missed(literally(with_blocks(markdown)), _with_tags)


@remembered
def _with_tags(line: str) -> str:
    pieces: list[str] = []
    at = 0
    for found in missed(line):
        (start, end), (opening, closing) = found.inside, _TAGS[found.mark]
        inner = where_missed(line[start:end], _with_tags)
        pieces += [line[at : found.start], opening, inner, closing]
        at = found.end
    return "".join([*pieces, line[at:]])
