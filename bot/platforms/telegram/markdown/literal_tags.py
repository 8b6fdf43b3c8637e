"""A Markdown text as its parser sees it, and which of the tags in it are words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.platforms.markdown.literal_tags import LiteralTags
from bot.platforms.markdown.tags import read_tag
from bot.platforms.telegram.markdown.parser import Event, ended, events_of, started

_INLINE = frozenset({"Emphasis", "Image", "Link", "Strikethrough", "Strong"})


def with_literal_tags(
    markdown: str, *, partial: bool = False
) -> tuple[Iterable[Event], frozenset[int]]:
    """The events of a text, and where the tags within its lines begin that are words, in bytes.

    Of a text that is still being written, the last tags may get the other half that they miss.
    """
    if "<" not in markdown:
        return events_of(markdown), frozenset()
    events = tuple(events_of(markdown))
    if not any("InlineHtml" in payload for payload, _ in events):
        return events, frozenset()
    return events, _literal(events).found(partial=partial)


def _literal(events: Sequence[Event]) -> LiteralTags:
    tags = LiteralTags()
    for payload, place in events:
        name = started(payload) or ended(payload)
        if isinstance(payload, dict) and "InlineHtml" in payload:
            tags.read(read_tag(payload["InlineHtml"]), place["start"])
        elif name and name not in _INLINE:
            tags.end_line(in_cell=started(payload) == "TableCell")
        else:
            tags.pass_by()
    return tags
