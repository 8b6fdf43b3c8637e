"""Markdown that is still being written, completed so that no marker flashes up.

What is open at the end is closed (emphasis, code), shown without its markers (a link whose address
is still coming) or held back (the head of a table, a formula, a tag). Only the last block can be
open, so only it is looked at. The final text never comes here.
"""

from __future__ import annotations

import re

HELD = 400
"""A formula or a tag longer than this is no formula or tag."""

_FENCE = re.compile(r"^[ >\t]*(?:(?:[-*+]|\d+[.)])[ \t]+)*(`{3,}|~{3,})(.*)$")
_ONLY_MARKERS = re.compile(
    r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*"
    r"(?:#{1,6}|[-+*=_~`>|:]+|\d{1,9}[.)]|[-*+][ \t]*\[[ xX]?\]?|\[[ xX]?\]?)?[ \t]*$"
)
_TABLE_LINE = re.compile(r"^[ \t>]*\|(?!\|)")
_SEPARATOR = re.compile(r"^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_OPEN_LINK = re.compile(r"!?\[([^\[\]\n]*)(?:\](?:\([^()\s]*(?:\([^()\s]*\)?[^()\s]*)*)?)?$")
_OPEN_TAG = re.compile(r"<(?:[A-Za-z/!][^<>\n]*)?$")
_OPEN_REFERENCE = re.compile(r"&(?:#\w{0,7}|[a-z]{2,8})$")
_OPEN_FORMULA = re.compile(
    r"(?:\\\((?:(?!\\\)).)*|\\\[(?:(?!\\\]).)*|\$\$(?:(?!\$\$).)*|\$(?=[^\s\d$])[^$\n]*)$",
    re.DOTALL,
)
_DELIMITER = re.compile(r"\\.|(?P<code>`+)|(?P<mark>\*+|_+|~~|\|\|)", re.DOTALL)


def complete(markdown: str) -> str:
    """The text with its open end closed."""
    head, block, in_code = _last_block(markdown)
    if in_code:
        lines = block.split("\n")
        if len(lines) > 1 and re.fullmatch(r"[ >\t]*(?:`{1,}|~{1,})", lines[-1]):
            lines.pop()  # a closing fence of which the first characters are there
        return head + "\n".join(lines)
    block = _held_back(block.rstrip())
    return head + _closed(block) if block else head


def _last_block(markdown: str) -> tuple[str, str, bool]:
    """What is before the last block, the block, and whether it is fenced code still open."""
    fence, opened, at, start = "", 0, 0, 0
    for line in markdown.splitlines(keepends=True):
        match = _FENCE.match(line.rstrip("\r\n"))
        if match and not fence:
            fence, opened = match[1], at
        elif match and match[1].startswith(fence) and not match[2].strip():
            fence, start = "", at + len(line)
        elif not fence and not line.strip(" \t>\r\n"):
            start = at + len(line)
        at += len(line)
    if fence:
        return markdown[:opened], markdown[opened:], True
    return markdown[:start], markdown[start:], False


def _held_back(block: str) -> str:
    """The block without lines that say nothing yet: bare markers, the head of a table."""
    lines = block.split("\n")
    if _TABLE_LINE.match(lines[0]) and not (len(lines) > 2 or _whole_head(lines)):
        return ""
    in_table = len(lines) > 1 and _SEPARATOR.match(lines[1]) and "|" in lines[0]
    while lines and not in_table and _ONLY_MARKERS.match(lines[-1]):
        lines.pop()
    return "\n".join(lines)


def _whole_head(lines: list[str]) -> bool:
    """The head of a table, and a separator with as many columns."""
    if len(lines) < 2 or not _SEPARATOR.match(lines[1]):
        return False
    return lines[1].strip(" \t>|").count("|") >= lines[0].strip(" \t>|").count("|")


def _closed(block: str) -> str:
    """The block with open inline markers closed, or taken away where nothing follows them yet."""
    formula = _OPEN_FORMULA.search(_without_code(block))
    if formula and len(block) - formula.start() < HELD:
        block = block[: formula.start()].rstrip()
    open_code, marks = _open(block)
    if open_code:
        bare = block.rstrip("`")
        if not bare[bare.rfind(open_code) + len(open_code) :] and block.endswith(open_code):
            return _closed(bare.rstrip()) if bare.strip() else ""
        return bare + open_code + "".join(reversed(marks))
    block = _OPEN_TAG.sub("", block)
    block = _OPEN_REFERENCE.sub("", block)
    block = _OPEN_LINK.sub(r"\1", block)
    block = block.rstrip()
    block = re.sub(r"(?<!\\)\\$", "", block)
    bare = re.sub(r"(?:(?<=[\s(\"'])|^)[*_~|]+$|(?<![*_~|])[~|]$", "", block).rstrip()
    _, marks = _open(bare)
    if bare.endswith("*") and marks and not bare.endswith("**"):
        bare = bare.removesuffix("*") if marks[-1] == "**" else bare
    return bare + "".join(reversed(marks))


def _without_code(block: str) -> str:
    """The block with code spans blanked out, character for character."""
    return re.sub(r"(`+)(?:(?!\1).)+?\1(?!`)", lambda m: " " * len(m[0]), block, flags=re.DOTALL)


def _open(block: str) -> tuple[str, list[str]]:
    """The open code span's backticks, and the open emphasis markers, outermost first."""
    marks: list[str] = []
    at = 0
    while (match := _DELIMITER.search(block, at)) is not None:
        at = match.end()
        if match["code"]:
            close = re.compile(rf"(?<!`){match['code']}(?!`)").search(block, at)
            if close is None:
                return match["code"], marks
            at = close.end()
        elif match["mark"]:
            _mark(block, match, marks)
    return "", marks


def _mark(block: str, match: re.Match[str], marks: list[str]) -> None:
    """Open or close emphasis, by CommonMark's rules of flanking as far as chat text needs them."""
    before = block[match.start() - 1 : match.start()]
    after = block[match.end() : match.end() + 1]
    opens = bool(after.strip()) and not (match["mark"][0] == "_" and before.isalnum())
    closes = bool(before.strip()) and not (match["mark"][0] == "_" and after.isalnum())
    left = match["mark"]
    while left:
        if closes and marks and left.startswith(marks[-1]):
            left = left[len(marks.pop()) :]
        elif opens or not after:
            if not after:
                return
            size = 2 if len(left) > 1 else 1
            marks.append(left[:size])
            left = left[size:]
        else:
            return
