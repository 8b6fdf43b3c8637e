"""How the command line speaks: in the language of the terminal, and with signs that it can show."""

from __future__ import annotations

import argparse
import codecs
import gettext
import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TextIO, TypeAlias

from bot.core.i18n import DOMAIN, LOCALES, N_, language_of, texts

Say: TypeAlias = Callable[[str], str]
"""Translates what is said to the operator."""
_PLAIN = {"✓": "+", "✗": "x", "→": "->", "…": "...", "“": '"', "”": '"', "’": "'", "–": "-"}
"""How a terminal that has only ASCII, or GB2312, shows the signs of our sentences."""
_PIECE = re.compile(r"\s+|[（“]*(?:[\u2e80-\uffef]|[^\s\u2e80-\uffef“”]+)[，。；：、）”！？]*|.")
"""What stands on one line: a word, or a Chinese character with the punctuation beside it."""
_ARGPARSE = (
    N_("usage: "),
    N_("options"),
    N_("positional arguments"),
    N_("show this help message and exit"),
    N_("%(prog)s: error: %(message)s\n"),
    N_("argument %(argument_name)s: %(message)s"),
    N_("ambiguous option: %(option)s could match %(matches)s"),
    N_("expected one argument"),
    N_("ignored explicit argument %r"),
    N_("invalid %(type)s value: %(value)r"),
    N_("invalid choice: %(value)r (choose from %(choices)s)"),
    N_("the following arguments are required: %s"),
    N_("unrecognized arguments: %s"),
)
"""What argparse says by itself; it asks the catalogue of the process for it."""


def speech(environ: Mapping[str, str], out: TextIO | None) -> gettext.NullTranslations:
    """The catalogue of the terminal's language, for what is written to `out`, if it is open."""
    _show_what_can_be_shown(out)
    found = texts(language_of(environ, (out and out.encoding) or "utf-8"))
    gettext.bindtextdomain(DOMAIN, LOCALES)
    gettext.textdomain("messages" if found is texts("en") else DOMAIN)
    return found


def _show_what_can_be_shown(out: TextIO | None) -> None:
    def plain(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)  # nothing is read with it
        signs = error.object[error.start : error.end]
        return "".join(_PLAIN.get(sign, "?") for sign in signs), error.end

    codecs.register_error("plain", plain)
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(errors="plain")


def tame(text: str) -> str:
    """A line with words of a server in it, which must not drive the terminal, nor begin a line."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


class HelpFormatter(argparse.HelpFormatter):
    """Lines of as many columns as there are: a Chinese character takes two, and needs no space."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return list(_lines(text, width))

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in _lines(text, width - len(indent)))


def _lines(text: str, width: int) -> Iterator[str]:
    line = ""
    for piece in _PIECE.findall(text):
        if line.strip() and _columns(line + piece.rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece if line else piece.lstrip()
    yield line.rstrip()


def _columns(text: str) -> int:
    from unicodedata import east_asian_width  # a megabyte that a running bot does without

    return sum(1 + (east_asian_width(sign) in "WF") for sign in text)
