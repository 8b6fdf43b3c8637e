"""Just enough Markdown to know where a text may be cut: fences, tables and inline spans.

After CommonMark 0.31 and GitHub's tables, as language models write them. Rendering is each
platform's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

_ITEM = r"(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)"
_FENCE = re.compile(
    r"^(?P<quote>(?:[ ]{0,3}>[ ]?)*+)"
    rf"(?P<margin>[ \t]*{_ITEM}*)(?P<marks>`{{3,}}(?=[^`\n]*$)|~{{3,}})(?P<info>[^\n]*)$",
    re.MULTILINE,
)
_FENCE_MARKS = re.compile("```|~~~")
ITEM = re.compile(_ITEM)
LONGEST = 200
"""Characters before what a fence names: of a longer one no page could hold beginning and end."""
_NO_QUOTE = re.compile(r"^(?![ ]{0,3}>)", re.MULTILINE)
_RULE = re.compile(
    r"(?:[ ]{0,3}>[ ]?)*+[ \t]*+\|?+"
    r"(?:[ \t]*+:?-++:?[ \t]*+\|)*+(?:[ \t]*+:?-++:?[ \t]*+)?+\|?+[ \t]*+"
)
_HEADING = re.compile(r"[ \t]*#{1,6}(?:[ \t]|$)")
MARKER = re.compile(rf"[ \t]*(?:>[ \t]*)*{_ITEM}*(?:\[[ xX]?\]?[ \t]*)?")
"""What a line of a list or a quote begins with."""

PRODUCT = (
    r"\*(?:(?<=[0-9A-Za-z)\]]\*)(?=[0-9A-Za-z(])"
    r"|\*(?:(?<=[0-9)\]]\*\*)|(?<=(?<![A-Za-z])[A-Za-z]\*\*))(?=[0-9(]|[A-Za-z](?![A-Za-z]))"
    r"|\*(?<=/\*\*)(?![\w*]))"
)
"""Asterisks that stand for themselves: for "times", "to the power of", in a German word, a path."""
GLOB = (
    r"\*(?:(?=[./)\]])(?<![0-9A-Za-z*\\]\*)"
    r"(?:(?=\.(?:[A-Za-z0-9]{1,5}\b|[{*])(?!\*)|/\*(?!\*))|(?<=[(\[\s]\*)(?=[)\]]|(?<=\s\*)/(?!\S)))"
    r"|(?<=[\s(^|/\"'*]\.\*)|(?<=/\*)(?![\w*])"
    r"|(?<=\"\*)(?=\")|(?<='\*)(?=')|(?<=“\*)(?=”)|(?<=‘\*)(?=’)"
    r"|(?<=[(（]\*)(?=[\^≧´⌒￣])|(?<=[\^≦⌒￣]\*)(?=[)）])"  # a cheek
    r"|(?<![\w*]\*)(?=_\*(?![\w*]))|(?<=(?<![\w*])\*_\*)(?![\w*]))"
)
"""An asterisk that stands for anything: in `*.txt`, `src/*`, `COUNT(*)`, `a[*]`, `"*"`, or in `.*`.

Or for a cheek or an eye, as in `(*^_^*)` and `*_*`.
"""
_EYES = r"[-^<=>;•￣╯╰°・●◕≧≦ˇ˘]"
FACE = (
    rf"_(?:(?<={_EYES}_)(?={_EYES})|(?<=(?<![\w*])\*_)(?=\*(?![\w*]))"
    r"|(?<=\)_)(?=/¯)|(?<=¯\\_)|(?<=¯\\\\_))"
)
"""An underscore for a mouth or an arm, as in `^_^` and in `¯\\_(ツ)_/¯`."""
BOLD = rf"(?!{PRODUCT})\*\*(?=\S)"

ITALIC = rf"(?!{GLOB})\*(?<![0-9A-Za-z)\]*]\*)(?=[^\s*\ufe0f])"

_LABEL = r"(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]"
CALL = rf"\[(?<=[0-9A-Za-z_\])]\[)(?={_LABEL}\((?:[^()\s/:#@]|\([^()\s/:#@]*\))*\))"  # no address
"""The bracket of an index behind a name, of which what it finds is called: `items[i](x)`."""

ADDRESS = r"https?://(?:[^\s<>\[\]()*]|\([^\s<>()]*\)?)+(?<![_~])"
"""An address within words, without the marks behind it."""


def _within(sign: str) -> str:
    """What stands between two double signs: no other one, but in code or with blanks around it."""
    sign = re.escape(sign)
    return rf"(?:(?>`[^`\n]+`|[^{sign}\n])|{sign}(?!{sign})|(?<=\s){sign}{{2}}(?=\s))+?"


_SPAN = re.compile(
    r"(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"  # inline code
    rf"|(?!{CALL})!?\[{_LABEL}\((?:[^()\s]|\([^()\s]*\))*(?:[ ]\"[^\"\n]*\")?\)"  # link
    rf"|{BOLD}{_within('*')}(?<=\S)\*\*|__(?=\S){_within('_')}(?<=\S)__"
    rf"|~~(?=\S){_within('~')}(?<=\S)~~"
    rf"|{ITALIC}[^*\n]+?(?<=\S)\*(?![0-9A-Za-z*])|(?<!\w)(?!{FACE})_(?=[^\s_])[^_\n]+?(?<=\S)_(?!\w)"
    r"|\$\$.+?\$\$|\\\((?:[^\\\n]|\\[^()\n])+?\\\)|\$(?=\S)[^$\n]+?(?<=\S)\$(?!\d)"  # formula
    rf"|<[^<>\n]+>|{ADDRESS}"
)


@dataclass(frozen=True, slots=True)
class Fence:
    """A code fence that is open.

    `indent` is the column at which it stands, in as many quotes as `quotes` says.
    """

    indent: int
    marks: str
    info: str
    quotes: int = 0

    @property
    def quote(self) -> str:
        """What each line in it begins with."""
        return "> " * self.quotes

    @property
    def closing(self) -> str:
        """The line that closes it, where it was opened."""
        return self.quote + " " * self.indent + self.marks

    @property
    def opening(self) -> str:
        """A line that opens it anew at the beginning of a text, at the margin."""
        return self.quote + self.marks + self.info.rstrip()

    def is_closed_by(self, found: re.Match[str]) -> bool:
        """Whether a line that looks like a fence ends this one."""
        margin, marks = found["margin"].expandtabs(4), found["marks"]
        return (
            found["quote"].count(">") == self.quotes
            and not margin.strip()
            and len(margin) <= self.indent + 3
            and marks[0] == self.marks[0]
            and len(marks) >= len(self.marks)
            and not found["info"].strip()
        )


def open_fence(text: str) -> Fence | None:
    """The code fence that is still open at the end of the text."""
    blocks = list(code_blocks(text))
    return blocks[-1].fence if blocks and blocks[-1].after is None else None


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """A fenced block of code, which is `text[start:end]`; `after` is None while it is open."""

    fence: Fence
    start: int
    end: int
    after: int | None = None


def code_blocks(text: str) -> Iterator[CodeBlock]:
    """The fenced code in a text, in order."""
    fence: Fence | None = None
    start = limit = 0  # where the code of the fence begins, and where its quote ends
    for found in _fences(text):
        if fence is not None and found.start() >= limit:
            yield CodeBlock(fence, start, limit, limit)
            fence = None
        before, fence = fence, _after(fence, found)
        line_end = text.find("\n", found.end()) + 1 or len(text)
        if before is None and fence is not None:
            start, limit = line_end, _quote_end(text, line_end, fence)
        elif before is not None and fence is None:
            yield CodeBlock(before, start, max(start, found.start()), line_end)
    if fence is not None:
        yield CodeBlock(fence, start, limit, limit if limit < len(text) else None)


def in_code(text: str) -> Callable[[int], bool]:
    """Says of a place in the text whether it is in fenced code."""
    codes = [(code.start, code.end) for code in code_blocks(text)]
    return lambda place: any(start <= place < end for start, end in codes)


def beside(found: re.Match[str]) -> tuple[str, str]:
    """What stands before a match on its line, and what behind it."""
    text, end = found.string, found.string.find("\n", found.end())
    line = text.rfind("\n", 0, found.start()) + 1
    return text[line : found.start()], text[found.end() : end if end >= 0 else len(text)]


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text with the change made to what stands between its fenced code.

    What is changed may end with a line that opens a fence, and begins with none that closes one.
    """
    pieces: list[str] = []
    at = 0
    for code in code_blocks(text):
        end = len(text) if code.after is None else code.after
        pieces += [change(text[at : code.start]), text[code.start : end]]
        at = end
    return "".join([*pieces, change(text[at:])])


def _fences(text: str) -> Iterator[re.Match[str]]:
    """The lines that look like fences; quickly, where there are no marks of one."""
    if "```" not in text and "~~~" not in text:
        return
    at = 0
    while marks := _FENCE_MARKS.search(text, at):
        start = text.rfind("\n", 0, marks.start()) + 1
        if found := _FENCE.match(text, start):
            yield found
        at = text.find("\n", marks.end()) + 1 or len(text)


def _quote_end(text: str, start: int, fence: Fence) -> int:
    """Where the quote ends in which a fence stands, and its code with it."""
    found = _NO_QUOTE.search(text, start) if fence.quotes else None
    return found.start() if found else len(text)


def closed(text: str) -> str:
    """The text, with a code fence that is still open closed."""
    fence = open_fence(text)
    if fence is None:
        return text
    return f"{text}{'' if text.endswith(chr(10)) else chr(10)}{fence.closing}"


def fence_in(line: str) -> Fence | None:
    """The code fence that a line opens."""
    found = _FENCE.match(line) if "```" in line or "~~~" in line else None
    return _after(None, found) if found else None


def fence_after(fence: Fence, line: str) -> Fence | None:
    """The fence, unless this line of its code closes it."""
    found = _FENCE.match(line) if fence.marks in line else None
    return _after(fence, found) if found else fence


def _after(fence: Fence | None, found: re.Match[str]) -> Fence | None:
    if fence is None:
        if found.end("marks") - found.start() > LONGEST:
            return None
        indent = len(found["margin"].expandtabs(4))
        quotes = found["quote"].count(">")
        return Fence(indent=indent, marks=found["marks"], info=found["info"], quotes=quotes)
    return None if fence.is_closed_by(found) else fence


class LineKind(Enum):
    """What a line is."""

    BLANK = auto()
    TEXT = auto()
    HEADING = auto()
    FENCE = auto()  # opens or closes a code block
    CODE = auto()
    TABLE_HEAD = auto()
    TABLE_RULE = auto()
    TABLE_ROW = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """A line from `start` to `end`, its newline included.

    `fence` is the one open before the line; `head` is where the head and the rule of the table
    end to which a row belongs, `table` where it begins.
    """

    start: int
    end: int
    kind: LineKind
    fence: Fence | None = None
    table: int = 0
    head: int = 0


def lines(text: str) -> Iterator[Line]:
    """The lines of the text, with what they are."""
    fence: Fence | None = None
    table = head = 0
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        found = _FENCE.match(text, start, end - 1 if text[end - 1] == "\n" else end)
        if fence is not None and fence.quotes and _NO_QUOTE.match(text, start):
            fence = None
        if fence is not None:
            head = 0
            after = _after(fence, found) if found else fence
            kind = LineKind.CODE if after else LineKind.FENCE
            yield Line(start, end, kind, fence)
            fence = after
        elif found:
            head = 0
            fence = _after(None, found)
            yield Line(start, end, LineKind.FENCE)
        else:
            kind = _kind(text, start, end, in_table=head > 0)
            if kind is LineKind.TABLE_HEAD:
                table, head = start, text.find("\n", end) + 1 or len(text)
            elif kind not in (LineKind.TABLE_ROW, LineKind.TABLE_RULE):
                head = 0
            if head and start >= table and end == head and start > table:
                kind = LineKind.TABLE_RULE
            yield Line(start, end, kind, None, table, head)
        start = end


def _kind(text: str, start: int, end: int, *, in_table: bool) -> LineKind:
    line = text[start:end].strip()
    if not line:
        return LineKind.BLANK
    if in_table and "|" in line:
        return LineKind.TABLE_ROW
    if "|" in line and is_rule(text[end : text.find("\n", end) + 1 or len(text)]):
        return LineKind.TABLE_HEAD
    return LineKind.HEADING if _HEADING.match(line) else LineKind.TEXT


def is_rule(line: str) -> bool:
    """Whether the line separates a table's head from its rows."""
    return "-" in line and "|" in line and _RULE.fullmatch(line.rstrip("\n")) is not None


def spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The links, code spans, emphasised words, formulas and addresses between the two places."""
    return [found.span() for found in _SPAN.finditer(text, start, end)]
