"""Markdown that is still being written, with its open end closed.

The core shows no half link and no table without its rule, and holds back a short stretch with a
marker that is still open. What is left to do here: emphasis, a spoiler or a code span that is open
for longer is shown as what it is going to be, and a formula waits until it is whole. The final text
never comes here.
"""

from __future__ import annotations

import re

HELD = 400
"""An open formula longer than this is none."""

_FENCE = re.compile(r"^[ >\t]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(`{3,}|~{3,})(.*)$")
_OPEN_FORMULA = re.compile(
    r"(?:\\\((?:(?!\\\)).)*|\\\[(?:(?!\\\]).)*|\$\$(?:(?!\$\$).)*"
    r"|\$(?=[^\s\d$])(?:(?!\*\*|~~)[^$\n])*)$",
    re.DOTALL,
)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_DELIMITER = re.compile(r"\\.|(?P<code>`+)|(?P<mark>\*+|_+|~~|\|\|)", re.DOTALL)


def complete(markdown: str) -> str:
    """The text with its last block closed; nothing before that can be open."""
    start = _last_block(markdown)
    if start is None:
        return markdown  # inside fenced code, which ends by itself
    block = markdown[start:].rstrip()
    formula = _OPEN_FORMULA.search(_CODE_SPAN.sub(lambda span: " " * len(span[0]), block))
    if formula and len(block) - formula.start() < HELD:
        block = block[: formula.start()].rstrip()
    return markdown[:start] + _closed(block)


def _last_block(markdown: str) -> int | None:
    """Where the last block begins; None when it is fenced code."""
    fence, at, start = "", 0, 0
    for line in markdown.splitlines(keepends=True):
        match = _FENCE.match(line.rstrip("\r\n"))
        at += len(line)
        if match and not fence:
            fence = match[1]
        elif match and match[1].startswith(fence) and not match[2].strip():
            fence, start = "", at
        elif not fence and not line.strip(" \t>\r\n"):
            start = at
    return None if fence else start


def _closed(block: str) -> str:
    """The block with what is open at its end closed; a marker with nothing after it goes."""
    marks: list[str] = []
    at, loose = 0, ""
    while (match := _DELIMITER.search(block, at)) is not None:
        at = match.end()
        if match["mark"]:
            loose = _mark(block, match, marks)
        elif match["code"]:
            close = re.compile(rf"(?<!`){match['code']}(?!`)").search(block, at)
            if close is None:
                is_empty = at == len(block)
                return _with(block[: match.start()] if is_empty else block + match["code"], marks)
            at = close.end()
    return _with(block.removesuffix(loose) if at == len(block) else block, marks)


def _with(block: str, marks: list[str]) -> str:
    return block.rstrip() + "".join(reversed(marks))


def _mark(block: str, match: re.Match[str], marks: list[str]) -> str:
    """Open or close emphasis; returns what of the marker does neither.

    The rules are CommonMark's for delimiter runs, as far as chat text needs them.
    """
    before = block[match.start() - 1 : match.start()] if match.start() else ""
    after = block[match.end() : match.end() + 1]
    is_underscore = match["mark"][0] == "_"
    opens = bool(after.strip()) and not (is_underscore and before.isalnum())
    closes = bool(before.strip()) and not (is_underscore and after.isalnum())
    left = match["mark"]
    while left:
        if closes and marks and left.startswith(marks[-1]):
            left = left[len(marks.pop()) :]
        elif opens:
            marks.append(left[: 2 if len(left) > 1 else 1])
            left = left[len(marks[-1]) :]
        else:
            break
    return left
