"""Line breaks between the blocks of a list item, where telegramify-markdown leaves them out.

    1. ```
       code
       ```
       words after it

would come out as `codewords after it`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.platforms.telegram.markdown.parser import Event, Payload, ended, started

_BLOCKS = frozenset({"CodeBlock", "BlockQuote", "Heading", "Paragraph"})
_UNTERMINATED = frozenset({"CodeBlock", "Heading"})
_RESET = _BLOCKS | {"Item", "List"}
_BREAK: Payload = "SoftBreak"


def with_breaks(events: Iterable[Event]) -> Iterator[Event]:
    """The same events, with a break wherever two blocks of an item would share a line."""
    depth = 0
    words = block = False  # what the current line holds: words, or the end of a block
    for payload, place in events:
        start = started(payload)
        end = "" if start else ended(payload)
        depth += (start == "List") - (end == "List")
        if not depth:
            yield payload, place
            continue
        begins = start in _BLOCKS or payload == "Rule"
        inline = not start and not end and payload != "Rule"
        if (block and (begins or inline)) or (words and begins):
            yield _BREAK, place
            words = block = False
        yield payload, place
        if end in _UNTERMINATED or payload == "Rule":
            words, block = False, True
        elif start in _RESET or end in _RESET:
            words = block = False
        elif inline:
            words = True
