r"""Markdown as rich messages read it (https://core.telegram.org/bots/api#rich-messages).

It is GitHub's, with `==marked==`, `||spoilers||` and formulas between dollars. A single line break
is none ("all the text above was on the same line"), while classic messages show it, and models mean
it. So breaks are written out, formulas in `\(…\)` get dollars, and what is only a sign gets a
backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.platforms.telegram.elements import ended, events_of, started
from bot.platforms.telegram.formulas import with_dollars, with_prices

_BREAK = b"  "
_MARKED = rb"(?<![\w=])==(?=[^\s=])[^=\n]*(?<=[^\s=])==(?![\w=])"
_HIDDEN = rb"(?<!\|)\|\|(?=[^\s|])[^|\n]+(?<=[^\s|])\|\|(?!\|)"
_SIGNS = re.compile(rb"%s|%s|(?P<sign>={2,}|\|{2,}|\$)" % (_MARKED, _HIDDEN))


def in_dialect(markdown: str) -> str:
    """The text that says in a rich message what this one says elsewhere."""
    text = with_prices(with_dollars(markdown))
    source, pieces, at = text.encode(), [], 0
    for place, insertion in sorted(_insertions(text, source)):
        pieces += [source[at:place], insertion]
        at = place
    return b"".join([*pieces, source[at:]]).decode()


def _insertions(text: str, source: bytes) -> Iterator[tuple[int, bytes]]:
    """What is to be written into the text, and at which bytes."""
    is_code = False
    for payload, place in events_of(text):
        if "CodeBlock" in (started(payload), ended(payload)):
            is_code = bool(started(payload))
        elif payload == "SoftBreak":
            yield place["start"], _BREAK
        elif started(payload) == "Strikethrough" and not source.startswith(b"~~", place["start"]):
            yield place["start"], b"\\"  # "~5" means "about five"
            yield place["end"] - 1, b"\\"
        elif isinstance(payload, dict) and "Text" in payload and not is_code:
            for sign in _lone_signs(source, place["start"], place["end"]):
                yield sign, b"\\"


def _lone_signs(source: bytes, start: int, end: int) -> Iterator[int]:
    for match in _SIGNS.finditer(source, start, end):
        if match["sign"] and not source.endswith(b"\\", 0, match.start()):
            yield from range(*match.span())
