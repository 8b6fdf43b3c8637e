"""What Telegram's parser makes of a text, and what somebody sees of it."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator

from markdown_it import MarkdownIt

from bot.core.delivery.partial import settle
from bot.platforms.telegram.markdown.render import Rendered, pages, render
from bot.sandbox.telegram.judge import Formatted, Tdlib

STEP = 7
"""Characters by which a text grows that is shown while it is written."""
MOMENTS = 150
"""How often a text is looked at while it grows: a long one grows by more at a time."""


def judged(parser: Tdlib, rendered: Rendered) -> Formatted:
    """What Telegram makes of it; raises when it refuses."""
    entities = [
        {
            key: value
            for key, value in {
                "type": e.type,
                "offset": e.offset,
                "length": e.length,
                "url": e.url,
                "language": e.language,
            }.items()
            if value is not None
        }
        for e in rendered.entities
    ]
    return parser.fix(rendered.text, entities)


def moments(text: str) -> range:
    """The lengths that a text has when it is looked at while it grows."""
    step = max(STEP, len(text) // MOMENTS)
    return range(step, len(text), step)


def while_written(text: str) -> Iterator[Rendered]:
    """What a chat shows of a text that grows."""
    for end in moments(text):
        shown = render(settle(text[:end]), partial=True)
        if shown.is_visible:
            yield shown


def kinds(rendered: Rendered) -> list[tuple[str, str]]:
    """The formatting and the words it covers."""
    units = rendered.text.encode("utf-16-le")
    return [
        (e.type, units[2 * e.offset : 2 * (e.offset + e.length)].decode("utf-16-le"))
        for e in rendered.entities
    ]


def outside_code(rendered: Rendered) -> str:
    units = bytearray(rendered.text.encode("utf-16-le"))
    for e in rendered.entities:
        if e.type in {"code", "pre"}:
            units[2 * e.offset : 2 * (e.offset + e.length)] = b" \0" * e.length
    return units.decode("utf-16-le")


def words_shown(markdown: str) -> Counter[str]:
    """The words of a text as a chat shows it."""
    return Counter(re.findall(r"\w+", "\n".join(page.text for page in pages(render(markdown)))))


def words_of_page(page: str) -> Counter[str]:
    """The words of a page of HTML."""
    page = re.sub(r"</?(?:em|strong|s|code|a)\b[^<>]*>", "", page)
    page = re.sub(r"<[^<>]*>", " ", page)
    return Counter(re.findall(r"\w+", html.unescape(page)))


def words_by_another_parser(markdown: str) -> Counter[str]:
    """The words of a text as markdown-it reads it: an independent witness."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return words_of_page(reader.render(markdown))


def fetching(markdown: str) -> list[str]:
    """The pictures and the like of a rich message, without what Telegram takes out of a text."""
    text = re.sub("[\r\u030a\u0333\u033f\u2028-\u202e]", "", markdown)
    tokens = MarkdownIt("commonmark").parse(re.sub(r"[\x00-\x09\x0b-\x1f]", " ", text))
    inner = [token for block in tokens for token in (block, *(block.children or ()))]
    pictures = [token.content for token in inner if token.type == "image"]
    html = " ".join(token.content for token in inner if token.type.startswith("html"))
    return pictures + re.findall(r"<(?:img|video|tg-map)", html, re.IGNORECASE)
