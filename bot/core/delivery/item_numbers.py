"""Numbers of lists as they were written, where readers of Markdown would count for themselves.

    2. B
    5. D

would be seen as 2 and 3, though these may be the numbers of questions; and a date in a list of
dashes, `- 6. Januar`, as a list in that list. Pure functions.
"""

from __future__ import annotations

import re

from bot.core.delivery.markdown import in_code
from bot.core.delivery.nesting import NOTHING_OPEN, Nesting, Reading, read

_NUMBERED = re.compile(r"\n([ \t>*+-]*+)([0-9]{1,9}+)[.)][ \t]")
"""A line that begins with a number, perhaps in an item. What never goes back is quick."""
_INNER = re.compile(r"\n[ \t>]*+[-*+][ ]++[0-9]{1,9}+(?=[.)][ ])")
"""An item that begins with a number."""
_OTHER = {".": ")", ")": "."}


def with_own_numbers(text: str) -> str:
    """The text with a list that begins anew where another number stands than would be counted.

    It has the other sign behind its numbers, `5)`. A number at the beginning of an item is words.
    """
    last: dict[str, int] = {}
    jumps = inner = False
    inside = range(0)  # margins further in than the last item's, but not inside of that
    for margin, digits in _NUMBERED.findall(f"\n{text}"):
        number = int(digits)
        follows = number <= 1 or last.get(margin, number - 1) == number - 1
        if margin.strip(" \t>"):
            inner = True
        elif not follows or len(margin) in inside:
            jumps = True
        last[margin] = number
        inside = range(len(margin) + 2, len(margin) + len(digits) + 2)
    if inner:
        text = _with_words(text)
    return _with_turns(text) if jumps else text


def most_added(text: str) -> int:
    """So many characters may be added to a text at most."""
    return len(_INNER.findall(f"\n{text}"))


def most_lists(text: str) -> int:
    """So many lists may be in a text at most that begin for the sake of a number."""
    if with_own_numbers(text) == text:
        return 0
    return len(_NUMBERED.findall(f"\n{text}"))


def _with_words(text: str) -> str:
    """The text with a backslash behind numbers at the beginning of an item, unless it is code."""
    is_code = in_code(text)

    def escaped(found: re.Match[str]) -> str:
        return found[0] if is_code(found.start()) else f"{found[0]}\\"

    # The newline before the text stands for that before the line which is found.
    return _INNER.sub(escaped, f"\n{text}")[1:]


def _with_turns(text: str) -> str:
    """The text with the other sign behind the numbers of lists that begin anew."""
    lines = text.split("\n")
    nesting = NOTHING_OPEN
    turned: set[int] = set()  # the depths of the lists that have the other sign
    for at, line in enumerate(lines):
        reading = read(nesting, line)
        sign = _sign(nesting, reading, turned)
        if sign and reading.marker is not None:
            end = reading.marker.end
            lines[at] = line[:end] + sign + line[end + 1 :]
        nesting = reading.nesting
    return "\n".join(lines)


def _sign(before: Nesting, reading: Reading, turned: set[int]) -> str:
    """What is to stand behind the number of an item instead; empty when nothing is."""
    marker, depth = reading.marker, reading.kept
    if marker is None or marker.item.sign not in _OTHER:
        return ""
    sign = wanted = marker.item.sign
    last = before.stack[depth] if depth < len(before.stack) else None
    if last is not None and last.sign in _OTHER:
        is_next = last.sign == sign and marker.item.number == last.number + 1
        shown = _OTHER[last.sign] if depth in turned else last.sign
        wanted = shown if is_next else _OTHER[shown]
    turned.discard(depth)
    if wanted == sign:
        return ""
    turned.add(depth)
    return wanted
