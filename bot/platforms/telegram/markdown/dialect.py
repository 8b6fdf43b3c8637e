r"""Markdown as rich messages read it (https://core.telegram.org/bots/api#rich-messages).

It is GitHub's, with `==marked==`, `||spoilers||` and formulas between dollars. A single line break
is none ("all the text above was on the same line"), while classic messages show it, and models mean
it. So breaks are written out, formulas in `\(…\)` get dollars, and what is only a sign gets a
backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeAlias

from bot.core.delivery.cells import with_cells
from bot.core.delivery.emphasis import as_meant
from bot.platforms.markdown.formulas import in_one_line
from bot.platforms.markdown.references import named
from bot.platforms.markdown.tags import is_spoken_of, read_tag
from bot.platforms.telegram.markdown.dollars import with_dollars, with_prices
from bot.platforms.telegram.markdown.literal_tags import with_literal_tags
from bot.platforms.telegram.markdown.parser import ended, is_no_address, started
from bot.platforms.telegram.markdown.render import LINE_ENDS

_BREAK = b"  "
_MARKED = rb"(?<![\w=])==(?=[^\s=])[^=\n]*(?<=[^\s=])==(?![\w=])"
_HIDDEN = rb"(?<!\|)\|\|(?=[^\s|])[^|\n]+(?<=[^\s|])\|\|(?!\|)"
_ADDRESS = re.compile(rb"https?://[^\s<>\"']*\Z")
LONG = 500
"""Bytes that are looked through for the beginning of an address which a sign stands in."""
_TAG = re.compile(rb"</?[A-Za-z][^<>]*>")
_SIGNS = re.compile(rb"%s|%s|(?P<sign>={2,}|\|{2,}|\$)" % (_MARKED, _HIDDEN))


def in_dialect(markdown: str, *, partial: bool = False) -> str:
    """The text that says in a rich message what this one, whole or not, says elsewhere."""
    text = with_cells(in_one_line(LINE_ENDS.sub("\n", markdown)))
    text = as_meant(named(text, partial=partial))
    text = with_prices(with_dollars(text))
    source, pieces, at = text.encode(), [], 0
    for start, end, instead in sorted(_changes(text, source, partial=partial)):
        pieces += [source[at:start], instead]
        at = end
    return b"".join([*pieces, source[at:]]).decode()


Change: TypeAlias = tuple[int, int, bytes]
"""What stands from one byte to another, and what is to stand there."""


def _changes(text: str, source: bytes, *, partial: bool) -> Iterator[Change]:
    is_code = False
    events, literal = with_literal_tags(text, partial=partial)
    for payload, place in events:
        name = started(payload)
        if "CodeBlock" in (name, ended(payload)):
            is_code = bool(name)
        elif payload == "SoftBreak":
            yield _before(place["start"], _BREAK)
        elif name == "Strikethrough" and not source.startswith(b"~~", place["start"]):
            yield _before(place["start"], b"\\")  # "~5" means "about five"
            yield _before(place["end"] - 1, b"\\")
        elif name == "HtmlBlock":
            yield from _spoken_of(source, place["start"], place["end"])
        elif not isinstance(payload, dict) or is_code:
            continue
        elif name == "Link" and is_no_address(payload):
            yield place["start"], place["start"] + 1, b"&lt;"
        elif _is_entity(source, place) and not payload.get("Text", "").isascii():
            yield place["start"], place["end"], payload["Text"].encode()
        elif "Text" in payload:
            yield from _lone_signs(source, place["start"], place["end"])
        elif "InlineHtml" in payload and place["start"] in literal:
            yield place["start"], place["start"] + 1, b"&lt;"
        elif "InlineHtml" in payload or "Html" in payload:
            yield from _words_in_angles(source, place["start"], place["end"])


def _is_entity(source: bytes, place: dict[str, int]) -> bool:
    """Whether this is a sign by its name, `&rarr;`: Telegram knows few of them."""
    written = source[place["start"] : place["end"]]
    return written.startswith(b"&") and written.endswith(b";")


def _before(at: int, instead: bytes) -> Change:
    return at, at, instead


def _lone_signs(source: bytes, start: int, end: int) -> Iterator[Change]:
    for match in _SIGNS.finditer(source, start, end):
        if match["sign"] and _is_open_to_doubt(source, match.start()):
            for at in range(*match.span()):
                yield _before(at, b"\\")


def _is_open_to_doubt(source: bytes, at: int) -> bool:
    """Whether a sign may be taken for a mark: it has no backslash yet, and is in no address."""
    is_escaped = source.endswith(b"\\", 0, at)
    return not is_escaped and _ADDRESS.search(source, max(0, at - LONG), at) is None


def _spoken_of(source: bytes, start: int, end: int) -> Iterator[Change]:
    """The tag that a block of HTML begins with, if it is a word."""
    if is_spoken_of(source[start:end].decode(errors="replace")):
        at = source.index(b"<", start)
        yield at, at + 1, b"&lt;"


def _words_in_angles(source: bytes, start: int, end: int) -> Iterator[Change]:
    """What looks like a tag and is none, as in `Vec<String>`: it would not be shown."""
    for match in _TAG.finditer(source, start, end):
        if read_tag(match[0].decode(errors="replace")) is None:
            yield match.start(), match.start() + 1, b"&lt;"
