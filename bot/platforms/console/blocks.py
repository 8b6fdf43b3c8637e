"""Cuts a growing Markdown text into blocks that are finished and a tail that may still change.

Finished blocks are printed once and scroll away; only the tail is drawn again and again.
"""

from __future__ import annotations

from markdown_it import MarkdownIt

_PARSER = MarkdownIt().enable("table")
_SURE = 6
"""Characters after which it is certain what kind of block a line begins: `123. x`."""


def split_finished(text: str) -> tuple[str, str]:
    """The blocks that no further text can change, and the rest; together they are the text."""
    starts = [
        token.map[0] for token in _PARSER.parse(text) if token.level == 0 and token.map is not None
    ]
    lines = text.split("\n")
    if starts and len("\n".join(lines[starts[-1] :]).strip()) < _SURE:
        starts.pop()
    cut = sum(len(line) + 1 for line in lines[: starts[-1]]) if starts else 0
    return text[:cut], text[cut:]
