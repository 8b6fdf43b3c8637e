"""What was read out of a document, and how it is told to a model: with marks, cut to the room."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.core.chat import ImagePart
from bot.core.cutting import beginning

_BEGINNING = re.compile(r"\A\[File “([^\n]*)”[^\n”]*\]$", re.MULTILINE)
_CUT = re.compile(r"^\[Left out for want of room: [^\n]*\]\n\n\[End of “([^\n]*)”\]$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A stretch of a document: a page, a slide, some lines. `mark` is its name: `page 3`."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file says. `pictures` are pages that hold no text, a scan for one.

    `extent` is the size of the whole file in words (`12 pages`), and `left_out` what was not read
    of it (`pages 9–12`), empty when all was.
    """

    sections: tuple[Section, ...]
    pictures: tuple[ImagePart, ...] = field(default=(), repr=False)
    extent: str = ""
    left_out: str = ""


def tell(name: str, document: Document, *, room: int, count: Callable[[str], int]) -> str:
    """The document in one text of at most about `room` tokens, which says what is missing."""
    extent = f", {document.extent}" if document.extent else ""
    pieces = [f"[File “{name}”{extent}]"]
    left, missing = room, document.left_out
    for number, section in enumerate(document.sections):
        whole = f"[{section.mark}]\n{section.text}"
        size = _tokens(whole, left, count)
        if size <= left:
            pieces.append(whole)
            left -= size
            continue
        begun = beginning(whole, left, count)
        if len(begun) > len(section.mark) + 2:
            pieces.append(begun + " …")
        rest = document.sections[number if len(begun) < len(whole) // 2 else number + 1 :]
        names = [rest[0].mark, rest[-1].mark] if rest else [f"the rest of {section.mark}"]
        gone = " to ".join(dict.fromkeys(names))
        missing = f"{gone}; {missing}" if missing else gone
        break
    if missing:
        pieces.append(f"[Left out for want of room: {missing}]")
    pieces.append(f"[End of “{name}”]")
    return "\n\n".join(pieces)


def cut_in(text: str) -> list[str]:
    """The names of the documents in a text of which `tell` has left something out."""
    return _CUT.findall(text)


def told_of(text: str) -> str:
    """The name of the document that `tell` has made this text of; empty where it has not."""
    found = _BEGINNING.match(text)
    return found[1] if found else ""


def _tokens(text: str, enough: int, count: Callable[[str], int]) -> int:
    """No tokenizer makes more tokens than bytes, so that short texts need none loaded."""
    size = len(text.encode(errors="replace"))
    return size if size <= enough else count(text)
