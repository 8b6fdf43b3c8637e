"""A model's thoughts as a quote that is folded up under the answer."""

from __future__ import annotations

from telegramify_markdown.entity import MessageEntity, utf16_len

from bot.core.delivery.graphemes import boundary_before
from bot.core.types import Thoughts
from bot.platforms.telegram.markdown.render import MAX_ENTITIES, MAX_TEXT, Rendered, render

GAP = "\n\n"
LEAST = 20
"""Characters of thoughts for which there must be room at least, beside their title."""
MOST = 3000
"""Characters of thoughts at most: who wants more of them is rare, and has to scroll."""


def folded(page: Rendered, thoughts: Thoughts | None) -> Rendered:
    """The page with as much of the thoughts under it as there is room for."""
    if thoughts is None or len(page.entities) >= MAX_ENTITIES:
        return page
    room = min(MOST, MAX_TEXT - utf16_len(page.text + GAP))
    if room < utf16_len(thoughts.title) + LEAST:
        return page
    quote = _shortened(f"{thoughts.title}\n{render(thoughts.text).text}", room)
    start = utf16_len(page.text + GAP)
    entity = MessageEntity("expandable_blockquote", start, utf16_len(quote))
    return Rendered(page.text + GAP + quote, (*page.entities, entity))


def _shortened(text: str, room: int) -> str:
    """At most `room` UTF-16 code units of the text, up to the end of a word where there is one."""
    if utf16_len(text) <= room:
        return text
    head = text.encode("utf-16-le")[: 2 * (room - 1)].decode("utf-16-le", "ignore")
    at = max(head.rfind(" "), head.rfind("\n"))
    if at < len(head) // 2:
        at = boundary_before(text, len(head))
    return head[:at].rstrip() + "…"
