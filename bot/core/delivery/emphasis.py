"""Emphasis that readers of Markdown miss, and asterisks that they take for emphasis.

    **注意：**后面

is not bold to CommonMark, since a mark after punctuation closes only before a blank. Models write
that all the time in languages without blanks between words, and people would read asterisks. On the
other hand `2*3*4` would lose its asterisks, and so would German `Leser*innen und Hörer*innen`. Pure
functions.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from bot.core.delivery.blocks import most_added, with_blocks
from bot.core.delivery.markdown import (
    CALL,
    FACE,
    GLOB,
    MARKER,
    PRODUCT,
    code_blocks,
    open_fence,
    spans,
)

LONGEST = 400
"""Characters of emphasis that gets a gap: of a longer one, the beginning was shown already."""
GAP = "\N{ZERO WIDTH SPACE}"
"""Neither a blank nor punctuation: beside it a mark begins and ends emphasis."""
REMEMBERED = 4096
"""Lines that are remembered as they were changed: some for each of hundreds of growing texts."""
SHORT = 500
"""Characters of a line that is remembered."""
MARKS = frozenset({"*", "**", "***", "__", "~~"})


def _marks_between(*sides: tuple[str, str]) -> re.Pattern[str]:
    """Marks between what is before and behind them. A pattern that begins with signs is quick."""
    signs = ((r"\*", r"\*{0,2}"), ("_", "_"), ("~", "~"))
    return re.compile(
        "|".join(
            f"{sign}(?<={before}{sign}){more}{after}"
            for sign, more in signs
            for before, after in sides
        )
    )


_WIDE = r"[^\x00-\x7f\s]"
_PUNCTUATION = r"[^\w\s*]"
_SUSPECT = _marks_between((r"\w", _PUNCTUATION), (_PUNCTUATION, r"\w"))
_WIDE_SUSPECT = _marks_between((_WIDE, _PUNCTUATION), (_PUNCTUATION, rf"(?:\w|{_WIDE})"))
_MARK = re.compile(r"\*\*{0,2}|__|~~")
_ODD = re.compile(
    rf"(?!{GLOB})(?<![*\\])(?<![0-9A-Za-z)\]])(\*{{3}}|\*)(?=[^\s*])[^*\n]+?(?<![\s*\\])\1(?!\*)"
)
_NAMES = (
    "(?:all|annotations|bool|call|class|contains|debug|del|delitem|dict|doc|enter|eq|exit|file|"
    "future|getattr|getattribute|getitem|hash|init|init_subclass|iter|len|main|mro|module|name|"
    "new|next|path|post_init|proto|pycache|repr|setattr|setitem|slots|str|subclasses|version)"
)
_ASTERISKS = re.compile(rf"{PRODUCT}|{GLOB}")
_CALL = re.compile(CALL)
_FACE = re.compile(FACE)
_LITERAL = re.compile(
    rf"{_ASTERISKS.pattern}|{CALL}|{FACE}|\\(?<=¯\\)_"
    rf"|__(?<![\w\\]__){_NAMES}__(?!\w)"
    r"|\\(?:(?<=\b[A-Za-z]:\\)|(?<=\w%\\)|\\(?<!\S\\\\)(?=\w))"
    r"(?:[^\s`*\"'|]|(?<=\\)\*(?!\*))*"
)
"""Signs that stand for themselves: asterisks, an index, names of Python, a path, a face."""
_PATHS = (":\\", "%\\", "\\\\")
"""One of them is in each path of Windows."""
_SIGN = re.compile(r"[*_]|\\(?=[!-/:-@\[-`{-~])")
_INDENTED = re.compile(r"(?: {4}| {0,3}\t)[ \t]*+(?![-*+] |\d{1,9}[.)] )")
"""It may be code, and is no item of a list."""
_NO_PARAGRAPH = re.compile(r"\s*$|[ ]{0,3}(?:#{1,6}\s|```|~~~|\||[-*_]{3})", re.MULTILINE)
"""After such a line there may be indented code; after others it goes on with their words."""
_CODE_LINES = 30
"""Lines of indented code after which it is not asked any more what it follows."""
_FORMULA = re.compile(
    r"^[ >]*(?:\$\$(?:(?!\$\$|\n\n).){0,2000}(?:\$\$)?|\\\[(?:(?!\\\]|\n\n).){0,2000}(?:\\\])?)",
    re.DOTALL | re.MULTILINE,
)
_ENDS = ":.!?"
"""Behind these a word may follow without a blank by mistake."""
_SAID = "\"'"
"""What is said begins and ends with these, and no product does."""

_PAUSES = frozenset("：，。！？；、…")
_QUOTES = {"“": "”", "‘": "’", "「": "」", "『": "』", "《": "》", "〈": "〉"}

Change: TypeAlias = Callable[[str], str]
"""Makes of a line what it is to be."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What stands between two marks of emphasis, which are part of it: `text[start:end]`."""

    start: int
    end: int
    mark: str

    @property
    def inside(self) -> tuple[int, int]:
        """Where its words begin and end."""
        return self.start + len(self.mark), self.end - len(self.mark)


def remembered(change: Change) -> Change:
    """The same change, made once to each short line: of a text that grows only the last is new."""
    once = lru_cache(maxsize=REMEMBERED)(change)

    def remembering(line: str) -> str:
        return once(line) if len(line) <= SHORT else change(line)

    return remembering


def missed(line: str, *, wide: bool = False) -> Iterator[Stretch]:
    """What is meant to be emphasised and would not be, in order; there may be more inside.

    With `wide`, also what only some readers miss, beside full-width punctuation.
    """
    at = 0
    for found in _stretches(line, 0, len(line)):
        if found.start >= at and _is_missed(line, found, wide=wide):
            yield found
            at = found.end


def where_missed(text: str, change: Change, *, wide: bool = False) -> str:
    """The text with the change made to the lines in which emphasis may be missed."""
    return _by_lines(text, _WIDE_SUSPECT if wide else _SUSPECT, change)


def as_meant(text: str) -> str:
    """A Markdown text that every reader of it shows as it was meant."""
    return with_gaps(literally(with_blocks(text)))


def with_gaps(text: str) -> str:
    """The text with something invisible inside of such marks, so that every reader sees them.

    Slack wants it also where full-width punctuation follows: `**70%**，`. Punctuation that looks
    the same without emphasis is put outside of the marks instead: what is copied has no gap then.
    """
    return where_missed(text, _with_gaps, wide=True)


@remembered
def _with_gaps(line: str) -> str:
    pieces: list[str] = []
    at = 0
    for found in missed(line, wide=True):
        if found.end - found.start > LONGEST:
            continue
        opens_not = _opens_not(line, found, wide=True)
        closes_not = _closes_not(line, found, wide=True)
        start, end = _without_pauses(line, found.inside, opens_not=opens_not, closes_not=closes_not)
        is_gap_before = opens_not and start == found.inside[0]
        is_gap_after = closes_not and end == found.inside[1]
        pieces += [line[at : found.start], line[found.inside[0] : start], found.mark]
        pieces += [GAP * is_gap_before, with_gaps(line[start:end]), GAP * is_gap_after]
        pieces += [found.mark, line[end : found.inside[1]]]
        at = found.end
    return "".join([*pieces, line[at:]])


def _without_pauses(
    line: str, inside: tuple[int, int], *, opens_not: bool, closes_not: bool
) -> tuple[int, int]:
    """What is to be emphasised without signs at its ends that look the same when they are not.

    Such signs may stand outside of the marks, where they need no gap, which would be copied with
    the words. Of quotation marks both go, or none.
    """
    start, end = inside
    while closes_not and end - start > 1 and line[end - 1] in _PAUSES:
        end -= 1
    opening, closing, within = line[start], line[end - 1], line[start + 1 : end - 1]
    if within and _QUOTES.get(opening) == closing and opening not in within:
        start, end = start + 1, end - 1
    opens = not opens_not or line[start].isalnum()
    closes = not closes_not or line[end - 1].isalnum()
    return (start, end) if opens and closes else inside


def most_signs(text: str) -> int:
    """So many gaps, backslashes and blank lines may be added to a text at most."""
    added = len(_MARK.findall(text)) + text.count("*") + text.count("\\") + 2 * text.count("__")
    added += 2 * len(_FACE.findall(text)) if "_" in text else 0
    return added + len(_CALL.findall(text)) + most_added(text)


def undecided(text: str) -> int:
    """Where emphasis begins that ends a growing text, if what comes next decides about its marks.

    Else the end of the text.
    """
    if text[-1:] not in ("*", "_", "~") or open_fence(text) is not None:
        return len(text)
    line = text.rfind("\n") + 1
    for found in _stretches(text, line, len(text)):
        is_last = found.end == len(text) and found.end - found.start <= LONGEST
        if is_last and _is_punctuation(text[found.inside[1] - 1]):
            begin = MARKER.match(text, line)
            return line if begin and begin.end() == found.start else found.start
    return len(text)


def literally(text: str) -> str:
    """The text with a backslash before signs that stand for themselves."""
    has_path = "\\" in text and any(sign in text for sign in _PATHS)
    has_face = "_" in text and _FACE.search(text)
    if "__" in text or has_path or has_face or ("](" in text and _CALL.search(text)):
        return _by_lines(text, _LITERAL, _literally)
    return _by_lines(text, _ASTERISKS, _literally) if "*" in text else text


@remembered
def _literally(line: str) -> str:
    pieces: list[str] = []
    at = 0
    held = deque(sorted(_held(line)))
    for found in _LITERAL.finditer(line):
        while held and held[0][1] <= found.start():
            held.popleft()
        if not held or held[0][0] > found.start():
            pieces += [line[at : found.start()], _escaped(found[0])]
            at = found.end()
    return "".join([*pieces, line[at:]])


def _escaped(signs: str) -> str:
    """The signs with backslashes; not a path in which there are some."""
    if signs == "[":
        return "\\["
    is_written_so = signs[0] == "\\" and "\\\\" in signs[1:]
    return signs if is_written_so else _SIGN.sub(r"\\\g<0>", signs)


def _by_lines(text: str, pattern: re.Pattern[str], change: Change) -> str:
    """Change the lines outside of code and of formulas in which the pattern is found."""
    pieces: list[str] = []
    at = 0
    found = pattern.search(text)
    verbatim = deque(_verbatim(text) if found else ())
    while found is not None:
        start, end = text.rfind("\n", 0, found.start()) + 1, text.find("\n", found.end())
        end = end if end >= 0 else len(text)
        while verbatim and verbatim[0][1] <= start:
            verbatim.popleft()
        if verbatim and verbatim[0][0] <= start:
            end = max(end, verbatim[0][1])
        elif _INDENTED.match(text, start) is None or not _may_be_code(text, start):
            pieces += [text[at:start], change(text[start:end])]
            at = end
        found = pattern.search(text, end)
    return "".join([*pieces, text[at:]])


def _may_be_code(text: str, start: int) -> bool:
    """Whether the line that begins there is indented, and does not go on with a paragraph."""
    for _ in range(_CODE_LINES):
        if _INDENTED.match(text, start) is None:
            return False
        start = text.rfind("\n", 0, max(0, start - 1)) + 1
        if _NO_PARAGRAPH.match(text, start):
            return True
    return True


def _verbatim(text: str) -> list[tuple[int, int]]:
    """Where fenced code and formulas of several lines stand."""
    found = [(code.start, code.end) for code in code_blocks(text)]
    if "$$" in text or "\\[" in text:
        found += [formula.span() for formula in _FORMULA.finditer(text)]
    return sorted(found)


def _held(line: str) -> Iterator[tuple[int, int]]:
    """Where an asterisk is no sign: in code, links and formulas, and where emphasis ends."""
    yield from _as_written(line, 0, len(line))
    for found in _stretches(line, 0, len(line)):
        yield found.inside[1], found.end


def _as_written(line: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where there is code, a link or a formula, also within emphasis."""
    for a, b in spans(line, start, end):
        if line[a] not in "*_~":
            yield a, b
        else:  # no kind of emphasis is in itself, so this ends soon
            yield from _as_written(line, a + 1, b - 1)


def _stretches(text: str, start: int, end: int) -> list[Stretch]:
    """What is meant to be emphasised in a line, the outer before the inner."""
    held = spans(text, start, end)
    found = [Stretch(a, b, text[a : a + 2]) for a, b in held if text[a : a + 2] in MARKS]
    others = [(a, b) for a, b in held if text[a] not in "*_~"]  # code, links, formulas
    for odd in _ODD.finditer(text, start, end):
        a, b = odd.span()
        if not any(c <= a < d or c < b <= d for c, d in others):
            found.append(Stretch(a, b, odd[1]))
    return sorted(found, key=lambda stretch: (stretch.start, -stretch.end))


def _is_missed(text: str, found: Stretch, *, wide: bool) -> bool:
    """Whether one of the marks stands between punctuation inside and a letter outside."""
    (start, end), after = found.inside, text[found.end : found.end + 1]
    before, first, last = text[max(0, found.start - 1) : found.start], text[start], text[end - 1]
    opens_not = _opens_not(text, found, wide=wide) and not before.isascii()
    closes_not = _closes_not(text, found, wide=wide)
    if found.mark == "*":  # "2*3" and "*.txt" are no emphasis
        is_product = before.isalnum() and before.isascii()
        opens_not = opens_not and (first in _SAID or not first.isascii())
        is_said = last in _SAID + _ENDS and not after.isascii()
        return not is_product and (opens_not or (closes_not and (is_said or not last.isascii())))
    is_meant = not (after + last).isascii() or (last in _ENDS and first.isalnum())
    return opens_not or (closes_not and is_meant)


def _opens_not(text: str, found: Stretch, *, wide: bool) -> bool:
    before = text[max(0, found.start - 1) : found.start]
    return _is_punctuation(text[found.inside[0]]) and _is_beside(before, wide=wide)


def _closes_not(text: str, found: Stretch, *, wide: bool) -> bool:
    after = text[found.end : found.end + 1]
    return _is_punctuation(text[found.inside[1] - 1]) and _is_beside(after, wide=wide)


def _is_beside(character: str, *, wide: bool) -> bool:
    """Whether this is no end of a word: a mark beside it does not begin or end emphasis."""
    is_wide = wide and not character.isascii() and not character.isspace()
    return character.isalnum() or is_wide


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
