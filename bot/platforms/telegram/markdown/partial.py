"""Markdown that is still being written, with its open end closed.

The core shows no half link and no table without its rule, and holds back a short stretch with a
marker that is still open. What is left to do here: emphasis, a spoiler or a code span that is open
for longer is shown as what it is going to be, and a formula waits until it is whole. The final text
never comes here.
"""

from __future__ import annotations

import re

from bot.core.delivery.markdown import ADDRESS, FACE, GLOB, ITEM, PRODUCT
from bot.platforms.markdown.formula_marks import MARKS, ROWS, growing
from bot.platforms.markdown.formulas import begun_on_lines

_FENCE = re.compile(r"^[ >\t]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(`{3,}|~{3,})(.*)$")
_ITEM = re.compile(rf"[ >\t]*{ITEM.pattern}")
_WHOLE = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"  # code
    r"|\\\((?:[^\\]|\\[^()]){1,1000}?\\\)|\\\[(?:[^\\]|\\[^\[\]]){1,1000}?\\\]"  # formulas
    rf"|\$\$.{{1,1000}}?\$\$|{MARKS['environment'].whole}|{MARKS['boxed'].whole}"
    rf"|(?<!\$)\$(?=[^\s$])(?:(?!\*\*|~~)(?>\\\$|{ROWS}|[^$\n]))*(?<=\S)\$(?!\d|\Z)"
    rf"|\]\((?:[^()\s]|\([^()\s]*\))*(?:[ ]\"[^\"\n]*\")?\)|{ADDRESS}|<[^<>\n]+>"
    r"|\\(?:[^\w\s(\[]|_)|\*\ufe0f",
    re.DOTALL,
)
"""What has begun and ended, and has no marks of its own."""
_RULE = re.compile(r"^[ ]{0,3}(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})\Z", re.MULTILINE)
_LITERAL = re.compile(rf"{PRODUCT}|{GLOB}|{FACE}")
"""Signs that begin no emphasis, though they may end some."""
_DELIMITER = re.compile(r"(?P<code>`+)|(?P<mark>\*+|_+|~~|\|\|)")


def complete(markdown: str) -> str:
    """The text with its last block closed; nothing before that can be open."""
    markdown = markdown[: begun_on_lines(markdown)]
    start = _last_block(markdown)
    if start is None:
        return markdown  # inside fenced code, which ends by itself
    block = markdown[start:].rstrip()
    plain = _WHOLE.sub(_masked, block)
    block = block[: growing(plain)].rstrip()
    if _RULE.search(block):
        return markdown[:start] + block
    return markdown[:start] + _closed(block, plain[: len(block)])


def _masked(found: re.Match[str]) -> str:
    """Dots in place of what has no marks; a backslash that escapes stays, also in a formula."""
    is_escape = len(found[0]) == 2 and found[0][0] == "\\"
    return "\\." if is_escape else "." * len(found[0])


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
        elif not fence and _ITEM.match(line):  # nothing goes on in the next item
            start = at - len(line)
    return None if fence else start


def _closed(block: str, plain: str) -> str:
    """The block with what is open at its end closed; a marker with nothing after it goes.

    `plain` is the block with points where something is whole.
    """
    marks: list[str] = []
    loose = ""
    for match in _DELIMITER.finditer(plain):
        if match["code"]:
            is_empty = match.end() == len(block)
            return _with(block[: match.start()] if is_empty else block + match["code"], marks)
        loose = _mark(plain, match, marks)
    return _with(block.removesuffix(loose) if plain.endswith(loose) else block, marks)


def _with(block: str, marks: list[str]) -> str:
    return block.rstrip() + "".join(reversed(marks))


def _mark(block: str, match: re.Match[str], marks: list[str]) -> str:
    """Open or close emphasis; returns what of the marker does neither.

    The rules are CommonMark's for delimiter runs, as far as chat text needs them.
    """
    before = block[match.start() - 1 : match.start()] if match.start() else ""
    after = block[match.end() : match.end() + 1]
    is_underscore = match["mark"][0] == "_"
    is_end = is_underscore or ((before + after).isascii() and not after.isalnum())
    opens = bool(after.strip()) and not (is_end and before.isalnum())
    closes = bool(before.strip()) and not (is_underscore and after.isalnum())
    opens = opens and _LITERAL.match(block, match.start()) is None
    left = match["mark"]
    while left:
        size = _closing(left, marks, opens=opens) if closes else 0
        if size:
            left = left[size:]
        elif opens:
            marks.append(left[: 2 if len(left) > 1 else 1])
            left = left[len(marks[-1]) :]
        else:
            break
    return left


def _closing(run: str, marks: list[str], *, opens: bool) -> int:
    """Close the innermost emphasis that the run can end; how many characters that takes.

    What was opened in it and not closed is no emphasis. A run that can begin some, too, ends none
    of one sign with two, or of two with one.
    """
    for number in range(len(marks) - 1, -1, -1):
        if run.startswith(marks[number]) and not (opens and len(run) + len(marks[number]) == 3):
            size = len(marks[number])
            del marks[number:]
            return size
    return 0
