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
    r"|\[(?<![\w\])!\\]\[)(?=[^\[\]\n]*(?:[^\W\d_A-Z]|[A-Z][^\[\]\n]*\]\[[a-z-]*\d{1,5}\]))"
    r"(?P<words>[^\[\]\n^][^\[\]\n]+)\]"
    r"\[(?P<name>[^\[\]\n]*)\](?![\[(])"
)
"""Neither `x[i][j]` nor `[K][u]` nor `[ERROR][main]` is one, but `[WHO][1]` is."""
_USED = re.compile(r"\]\[([^\[\]\n]+)\]")
_CHOICE = re.compile(r"\[(?:[A-Z]|[^\x00-\x7f])[^\]]*\]\[(?:[A-Z]|[^\x00-\x7f])[^\]\d]*\]")
"""`[Yes][No]`: nobody calls an address so."""
_NOTE = re.compile(
    rf"{_CODE}"
    r"|\[\^(?:(?P<number>\d{1,3})"
    r"|(?:(?<=\S\[\^)|(?<=^\[\^))(?P<word>(?!\w-\w\])[\w-]{2,40}))\]"
    r"(?![+?{(\w]|(?<!\d\])\*(?!\*))",
    re.MULTILINE | re.ASCII,
)
"""The mark of a footnote: a number, or a word that is behind another or begins a line.

`[^a-z]` is none, and `[^a]` only where there is such a note.
"""
_NOTE_TEXT = re.compile(r"^[ ]{0,3}\[\^([^\[\]\s]+)\]:", re.MULTILINE)
_DEFINITION = re.compile(r"^(?P<margin>[ ]{0,3})\[(?P<name>[^\[\]\n^][^\[\]\n]*)\]:", re.MULTILINE)


def with_numbers(text: str, known: AbstractSet[str] = frozenset()) -> str:
    """A text without fenced code, with footnotes as they are seen: `[^1]` is `[1]`.

    Those that are `known` stay.
    """

    def number(found: re.Match[str]) -> str:
        name = found["number"] or found["word"]
        return f"[{name}]" if name and name not in known else found[0]

    return _NOTE.sub(number, text) if "[^" in text else text


def without_links(text: str) -> str:
    """A text without fenced code, with words in place of the links; their addresses stay."""
    return _in_words(text) if "][" in text else text


def named(text: str, *, partial: bool = False) -> str:
    """The text with words in place of the links whose address does not stand in it.

    A line with an address that no link uses is made readable. Of a `partial` text, an address may
    come later: then no name is put behind the words. Footnotes whose note is not
    there are seen as by `with_numbers`.
    """
    if "[^" in text:
        notes = frozenset(_NOTE_TEXT.findall(text))
        text = outside_code(text, lambda words: with_numbers(words, notes))
    if "][" not in text and "]:" not in text:
        return text
    used = {_name(found) for found in _REFERENCE.finditer(text) if found["words"]}
    used |= {name.lower() for name in _USED.findall(text)}
    known = used & {_name(found) for found in _DEFINITION.finditer(text)}

    def change(text: str) -> str:
        text = _in_words(text, known, partial=partial)
        return _DEFINITION.sub(lambda found: _definition(found, known), text)

    return outside_code(text, change)


def _in_words(text: str, known: AbstractSet[str] = frozenset(), *, partial: bool = False) -> str:
    def words(found: re.Match[str]) -> str:
        if not found["words"] or _name(found) in known or _CHOICE.fullmatch(found[0]):
            return found[0]
        is_said = found["name"] and not partial
        return f"{found['words']} [{found['name']}]" if is_said else found["words"]

    return _REFERENCE.sub(words, text)


def _definition(found: re.Match[str], known: AbstractSet[str]) -> str:
    return found[0] if _name(found) in known else found[0].replace("[", "\\[", 1)


def _name(found: re.Match[str]) -> str:
    return (found["name"] or found["words"]).lower()
