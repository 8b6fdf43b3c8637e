r"""The marks around formulas, as models write them, and what stands between. Pure functions.

One table says what is a formula, and what may become one in a text that still grows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias, cast

HELD = 400
"""An open formula longer than this is none."""

_NAMES = r"(?:align(?:at|ed)?|array|cases|equation|gather(?:ed)?|multline|split|[bBpvV]?matrix)\*?"
_LINE_END = r"\n(?![ \t>]*\n)"  # no formula goes on behind an empty line
_ROWS_BEGIN = rf"\\begin\{{{_NAMES}\}}"
ROWS = rf"{_ROWS_BEGIN}(?:[^$`\n]|{_LINE_END}){{1,1000}}?\\end\{{{_NAMES}\}}"
"""What has lines also in a formula within a line, as a matrix."""


class Marks(NamedTuple):
    """Patterns: how something begins, what is in it, and how it ends.

    `growing` is what may stand behind its beginning at the end of a text that still grows.
    """

    begin: str
    inside: str
    end: str
    growing: str = ".*"

    @property
    def whole(self) -> str:
        """The pattern of all of it."""
        return self.begin + self.inside + self.end


_NEVER = "(?!)"
_LINES = rf"(?:[^\n]|{_LINE_END}){{1,1000}}?"
_BRACED = r"(?:[^{}\n]|\{(?:[^{}\n]|\{(?:[^{}\n]|\{[^{}\n]*\})*\})*\}){1,300}"
_ADDRESS = r"[^\[\]\n]*\]\("  # behind brackets in the words of a link
_REST = r"(?:\\\$|[^$\n]){0,300}\$?"  # what stands behind its dollar may decide
Kind: TypeAlias = Literal[
    "code", "round", "square", "environment", "boxed", "escaped", "double", "single", "script"
]
MARKS: dict[Kind, Marks] = {
    "code": Marks(r"`(?<!``)(?P<ticks>`*)(?!`)", r"[^\n]+?", r"(?<!`)`(?P=ticks)(?!`)", _NEVER),
    "round": Marks(r"\\\(", rf"(?:[^\\\n]|\\[^()\[\]\n]|{_LINE_END}){{1,4000}}?", r"\\\)"),
    "square": Marks(
        r"\\\[", rf"(?:[^\\\n]|\\[^\[\]\n]|\\?{_LINE_END}){{1,4000}}?", rf"\\\](?!{_ADDRESS})"
    ),
    "environment": Marks(rf"\\begin\{{(?P<name>{_NAMES})\}}", _LINES, r"\\end\{(?P=name)\}"),
    "boxed": Marks(r"\\boxed\{(?!\})", _BRACED, r"\}"),
    "escaped": Marks(  # a sign behind a backslash, or half a name of the two before
        r"\\",
        r"(?:[^b(\[]|\[(?=(?:[^\[\]\n]|\\\]){0,300}\]\())",
        "",
        r"b[a-z]{0,4}(?:\{[A-Za-z]{0,9}\*?)?",
    ),
    "double": Marks(
        r"\$(?<!\$\$)\$", rf"(?:[^$\n]|{_LINE_END}){{1,4000}}?", r"\$\$(?![A-Za-z0-9$])"
    ),
    "single": Marks(
        r"\$",
        rf"(?<![A-Za-z0-9$]\$)(?=[^\s$])(?>\\\$|{ROWS}|[^$\n`]){{1,300}}?(?<=[^\s\\])",
        r"\$(?:(?=t(?:h\b|\Z))|(?![A-Za-z0-9${]))",
        # Before more than a line's worth of words a dollar begins a variable, as `$PATH`,
        r"(?=[^\s\d$])(?:(?!\*\*|~~)(?:\\\$|[^$\n])){0,120}\$?"
        # unless there is a command among them, or what has rows;
        rf"|(?=[^\s\d$][^$\n]{{0,120}}\\){_REST}"
        rf"|(?=[^\s\d$]|\d*\\)[^$\n]{{0,120}}{_ROWS_BEGIN}[^$]*\$?"
        # before a number a price, unless a sign or a letter follows that is of no price.
        r"|[\d.,]*(?:\$|(?:\(|[ ]?[\\^{=+]|[ ][-×*<>](?:[ ]|\Z)|[ac-jln-su-z](?!\w))"
        rf"{_REST})?",
    ),
    "script": Marks(  # a part of a word, as in `H$_2$O`
        r"\$", r"[_^](?:\w|\\[a-z]{1,20}|\{[^{}$\n]{1,20}\})", r"\$", _NEVER
    ),
}
"""In the order in which they are tried; as each begins with a sign, they are found quickly."""
BARE: tuple[Kind, ...] = ("environment", "boxed")
"""What is a formula without dollars or brackets around it."""
BLOCKS: tuple[Kind, ...] = ("square", "double", *BARE)
"""What may stand alone on its lines."""
_ANY = re.compile(
    "|".join(f"{each.begin}(?P<{kind}>{each.inside}){each.end}" for kind, each in MARKS.items())
)
_GROWING = re.compile(
    "|".join(rf"{each.begin}(?:{each.growing})\Z" for each in MARKS.values()), re.DOTALL
)


class Formula(NamedTuple):
    """A formula in a text; or code or a sign behind a backslash, in which none begins.

    `tex` is without the marks, but of a bare formula all.
    """

    kind: Kind
    tex: str
    found: re.Match[str]


def replaced(text: str, instead: Callable[[Formula], str]) -> str:
    """A text without fenced code, with something instead of each formula, code and escaped sign."""

    def change(found: re.Match[str]) -> str:
        kind = cast(Kind, found.lastgroup)
        return instead(Formula(kind, found[0] if kind in BARE else found[kind], found))

    return _ANY.sub(change, text)


def growing(plain: str) -> int | None:
    """Where a formula begins that may go on behind a text which has points where one is whole."""
    found = _GROWING.search(plain)
    return found.start() if found and len(plain) - found.start() < HELD else None
