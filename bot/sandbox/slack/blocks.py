"""What Slack accepts in `blocks`; the rest is `invalid_blocks`.

Source: docs.slack.dev, "Blocks" and "Markdown block": 50 blocks per message, 12,000 characters
in all markdown blocks together, 3,000 per section, 25 elements per actions block, button text 75,
value 2,000 and action_id 255 characters, an action_id only once per block.
"""

from __future__ import annotations

import json
import re

from bot.sandbox.slack.state import Json
from bot.sandbox.slack.workspace import SlackError

BLOCKS = 50
MARKDOWN = 12_000
SECTION = 3_000
ELEMENTS = 25
_POOR = re.compile(r"\s*(?:#{1,6}\s.*|\|.*|-{3,}|\*{3,}|_{3,})?\s*")
"""A line of Markdown that becomes a header, a table or a divider."""


def parse_blocks(given: object) -> list[Json]:
    """The blocks of a call, which come as a list or as JSON text. Raises `invalid_blocks`."""
    try:
        blocks = json.loads(given) if isinstance(given, str) and given else given or []
    except ValueError:
        raise SlackError("invalid_blocks_format") from None
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    check(blocks)
    return blocks


def check(blocks: list[Json]) -> None:
    """Raise `invalid_blocks` for what Slack would not draw."""
    markdown = sum(len(b.get("text", "")) for b in blocks if b.get("type") == "markdown")
    if len(blocks) > BLOCKS or markdown > MARKDOWN:
        raise SlackError("invalid_blocks")
    for block in blocks:
        if not _fits(block):
            raise SlackError("invalid_blocks")


def is_rich(blocks: list[Json], streamed: str = "") -> bool:
    """Whether there is rich text in a message: Slack makes it of Markdown."""
    texts = [streamed, *(block["text"] for block in blocks if block["type"] == "markdown")]
    return any(block["type"] == "rich_text" for block in blocks) or any(
        not _POOR.fullmatch(line) for text in texts for line in text.splitlines()
    )


def _fits(block: Json) -> bool:
    match block.get("type"):
        case "markdown":
            return bool(block.get("text"))
        case "section":
            return 0 < len(block.get("text", {}).get("text", "")) <= SECTION
        case "header":
            return 0 < len(block["text"]["text"]) <= 150
        case "actions":
            elements = block.get("elements", [])
            ids = [e["action_id"] for e in elements if "action_id" in e]
            return (
                0 < len(elements) <= ELEMENTS
                and len(set(ids)) == len(ids)
                and all(_button_fits(e) for e in elements if e.get("type") == "button")
            )
        case "task_card":
            known = block.get("status") in {"pending", "in_progress", "complete", "error"}
            details = block.get("details", {"type": "rich_text"})
            named = bool(block.get("task_id")) and bool(block.get("title"))
            return known and named and details.get("type") == "rich_text"
        case "context_actions":
            elements = block.get("elements", [])
            return 0 < len(elements) <= 5 and all(_context_fits(e) for e in elements)
        case "context" | "divider" | "image" | "rich_text":
            return True
        case _:
            return False


def _context_fits(element: Json) -> bool:
    """Thumbs or an icon; nothing else stands in a context actions block."""
    if element.get("type") == "icon_button":
        return True
    thumbs = [element.get("positive_button"), element.get("negative_button")]
    return element.get("type") == "feedback_buttons" and all(
        thumb and 0 < len(thumb["text"]["text"]) <= 75 and 0 < len(thumb["value"]) <= 2_000
        for thumb in thumbs
    )


def _button_fits(button: Json) -> bool:
    return (
        0 < len(button["text"]["text"]) <= 75
        and len(button.get("value", "")) <= 2_000
        and len(button.get("action_id", "")) <= 255
    )
