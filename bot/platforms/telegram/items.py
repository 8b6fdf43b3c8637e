"""Line breaks between the blocks of a list item, where telegramify-markdown leaves them out.

    1. ```
       code
       ```
       words after it

would come out as `codewords after it`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.platforms.telegram.elements import Event, Payload, ended, started

_BLOCKS = frozenset({"CodeBlock", "BlockQuote", "Heading", "Paragraph"})
_UNTERMINATED = frozenset({"CodeBlock", "Heading"})
_BREAK: Payload = "SoftBreak"


def separated(events: Iterable[Event]) -> Iterator[Event]:
    """The same events, with a break wherever two blocks of an item would share a line."""
    depth = 0
    words = block = False  # what the current line holds: words, or the end of a block
    for payload, place in events:
        depth += (started(payload) == "List") - (ended(payload) == "List")
        begins = started(payload) in _BLOCKS or payload == "Rule"
        if depth and (block or (words and begins)) and (begins or _is_inline(payload)):
            yield _BREAK, place
            words = block = False
        yield payload, place
        if started(payload) or ended(payload) in {"Item", "Paragraph", "BlockQuote"}:
            words = block = False
        elif ended(payload) in _UNTERMINATED or payload == "Rule":
            words, block = False, True
        elif _is_inline(payload):
            words = True


def _is_inline(payload: Payload) -> bool:
    return payload != "Rule" and not ended(payload) and started(payload) not in {"Item", "List"}
