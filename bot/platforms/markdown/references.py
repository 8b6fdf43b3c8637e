"""Links whose address stands elsewhere, as in `[words][1]` and, at the end, `[1]: https://…`.

While an answer is being written their addresses are not there yet, and later they may stand on
another page. So such a link is shown as its words with its name behind them, `words [1]`, and the
line of its address is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from bot.core.delivery.markdown import outside_code

_CODE = r"`(?<!``)(?P<ticks>`*)(?!`)[^\n]+?(?<!`)`(?P=ticks)(?!`)"
_REFERENCE = re.compile(  # a pattern that begins with signs is quick
    rf"{_CODE}"
    r"|\[(?<![\w\])!\\]\[)(?P<words>(?=[^\[\]\n]*[^\W\d_A-Z])[^\[\]\n^][^\[\]\n]+)\]"
    r"\[(?P<name>[^\[\]\n]*)\](?![\[(])"
)
"""Neither `x[i][j]` nor `[K][u]` nor `[ERROR][main]` is one."""
_NOTE = re.compile(
    rf"{_CODE}"
    r"|\[(?:(?<=\S\[)|(?<=^\[))\^(?P<note>[\w-]{1,40})\](?![+*?{)])",
    re.MULTILINE,
)
"""The name of a footnote, behind a word or at the beginning of a line."""
_DEFINITION = re.compile(r"^(?P<margin>[ ]{0,3})\[(?P<name>[^\[\]\n^][^\[\]\n]*)\]:", re.MULTILINE)


def with_numbers(text: str) -> str:
    """A text without fenced code, with footnotes as they are seen: `[^1]` is `[1]`."""
    return _NOTE.sub(_number, text) if "[^" in text else text


def _number(found: re.Match[str]) -> str:
    return f"[{found['note']}]" if found["note"] else found[0]


def without_links(text: str) -> str:
    """A text without fenced code, with words in place of the links; their addresses stay."""
    return _in_words(text) if "][" in text else text


def named(text: str, *, partial: bool = False) -> str:
    """The text with words in place of the links whose address does not stand in it.

    A line with an address that no link uses is made readable. Of a `partial` text, an address may
    come later: then no name is put behind the words.
    """
    if "][" not in text and "]:" not in text:
        return text
    used = {_name(found) for found in _REFERENCE.finditer(text) if found["words"]}
    known = used & {_name(found) for found in _DEFINITION.finditer(text)}

    def change(text: str) -> str:
        text = _in_words(text, known, partial=partial)
        return _DEFINITION.sub(lambda found: _definition(found, known), text)

    return outside_code(text, change)


def _in_words(text: str, known: AbstractSet[str] = frozenset(), *, partial: bool = False) -> str:
    def words(found: re.Match[str]) -> str:
        if not found["words"] or _name(found) in known:
            return found[0]
        is_said = found["name"] and not partial
        return f"{found['words']} [{found['name']}]" if is_said else found["words"]

    return _REFERENCE.sub(words, text)


def _definition(found: re.Match[str], known: AbstractSet[str]) -> str:
    return found[0] if _name(found) in known else found[0].replace("[", "\\[", 1)


def _name(found: re.Match[str]) -> str:
    return (found["name"] or found["words"]).lower()
