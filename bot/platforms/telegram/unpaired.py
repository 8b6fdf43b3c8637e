"""Tags among the elements of a Markdown text that are words."""

from __future__ import annotations

from collections.abc import Sequence

from bot.platforms.tags import read_tag
from bot.platforms.telegram.elements import Event, ended, started
from bot.platforms.unpaired import Reader

_INLINE = frozenset({"Emphasis", "Image", "Link", "Strikethrough", "Strong"})


def unpaired(events: Sequence[Event], *, partial: bool = False) -> frozenset[int]:
    """Where the tags within lines begin that are words, in bytes.

    Of a text that is still being written, the last words may get the tags that they miss.
    """
    if not any("InlineHtml" in payload for payload, _ in events):
        return frozenset()
    reader = Reader()
    for payload, place in events:
        name = started(payload) or ended(payload)
        if isinstance(payload, dict) and "InlineHtml" in payload:
            reader.read(read_tag(payload["InlineHtml"]), place["start"])
        elif name and name not in _INLINE:
            reader.end_line(in_cell=started(payload) == "TableCell")
        else:
            reader.go_on()
    return frozenset(reader.words - reader.last if partial else reader.words)
