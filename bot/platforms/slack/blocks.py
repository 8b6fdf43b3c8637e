"""A reply as blocks of a Slack message: words, thoughts, buttons and thumbs. Pure functions.

Slack takes at most 50 blocks (docs.slack.dev, "Blocks").
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from bot.core.punctuation import shortened
from bot.core.types import Button, ButtonRow, Feedback, Reply, Thoughts
from bot.platforms.slack.render import JOINER, neutralise, written

Json: TypeAlias = dict[str, Any]

FALLBACK = 1_000
"""Characters of the escaped text beside the blocks: notifications show it, and `chat.update` fails
above 4,000."""
SECTION = 3_000
"""Characters of text in one block."""
THOUGHTS = 2_000
"""Characters of thoughts at most: they count in what a message may hold, and few read them."""
MAX_BLOCKS = 50
ROW = 25
"""Buttons in one block."""
LABEL = 75
"""Characters on a button."""

_HALF_ENTITY = re.compile(r"&[a-z]*\Z")


def content(reply: Reply) -> Json:
    """The `text` and `blocks` of a message."""
    text = written(reply.text)
    words = [{"type": "markdown", "text": text}] if text.strip() else []
    return {"text": fallback(neutralise(reply.text)), "blocks": words + blocks_under(reply)}


def plain_content(reply: Reply) -> Json:
    """The same without `markdown` blocks, for where Slack refuses one: not pretty, but all there.

    Such text notifies nobody; it is made inert all the same, and so is what notifications show.
    """
    text = neutralise(reply.text)
    size = SECTION if text.isascii() else SECTION // 2  # Slack may count in UTF-16
    words = [_rich_text(piece) for piece in _pieces(text, size) if piece.strip()]
    return {"text": fallback(text), "blocks": words + blocks_under(reply)}


def richly(body: Json) -> Json:
    """The `text` and `blocks` of an edit, with a block of rich text more that nobody sees.

    Where a message has rich text, Slack takes no edit without any (docs.slack.dev, "chat.update":
    `block_mismatch`). It makes rich text of Markdown, but not of headings and tables alone.
    """
    return body | {"blocks": [*body["blocks"], _rich_text(JOINER)]}


def _rich_text(text: str) -> Json:
    words = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [words]}


def _pieces(text: str, size: int) -> Iterator[str]:
    """The text in pieces of at most `size`, cut between lines or words where it can be."""
    while len(text) > size:
        cut = max(text.rfind("\n", 0, size), text.rfind(" ", 0, size)) + 1
        yield text[: cut or size]
        text = text[cut or size :]
    yield text


def blocks_under(reply: Reply) -> list[Json]:
    """What stands under the words: thoughts, buttons, the question whether it was good."""
    blocks = [] if reply.thoughts is None else [_thoughts_block(reply.thoughts)]
    blocks += button_blocks(reply.buttons)
    if reply.feedback is not None:
        blocks.append(_feedback_block(reply.feedback))
    return blocks


def _thoughts_block(thoughts: Thoughts) -> Json:
    """A model's thoughts, folded up in a task that is done (docs.slack.dev, "Task card block")."""
    text = shortened(neutralise(thoughts.text), THOUGHTS)
    return {
        "type": "task_card",
        "task_id": "thoughts",
        "title": neutralise(thoughts.title),
        "status": "complete",
        "details": _rich_text(text),
    }


def _feedback_block(feedback: Feedback) -> Json:
    """Slack's own thumbs (docs.slack.dev, "Feedback buttons element")."""
    thumbs = {"positive_button": ("👍", feedback.good), "negative_button": ("👎", feedback.bad)}
    element: Json = {"type": "feedback_buttons", "action_id": "feedback"}
    for side, (label, value) in thumbs.items():
        element[side] = {"text": {"type": "plain_text", "text": label}, "value": value}
    return {"type": "context_actions", "elements": [element]}


def fallback(text: str) -> str:
    """The beginning of a text, escaped as Slack asks for (docs.slack.dev, "Formatting text")."""
    escaped = html.escape(text, quote=False)
    if len(escaped) > FALLBACK:
        escaped = _HALF_ENTITY.sub("", escaped[: FALLBACK - 1]).rstrip() + "…"
    return escaped or "…"


def button_blocks(rows: Sequence[ButtonRow]) -> list[Json]:
    """Buttons as `actions` blocks: a block per row, or as few as hold them when rows are many."""
    if len(rows) >= MAX_BLOCKS or any(len(row) > ROW for row in rows):
        flat = [button for row in rows for button in row]
        rows = [tuple(flat[at : at + ROW]) for at in range(0, len(flat), ROW)]
    return [
        {"type": "actions", "elements": [_button(b, f"{y}.{x}") for x, b in enumerate(row)]}
        for y, row in enumerate(rows)
        if row
    ]


def _button(button: Button, action: str) -> Json:
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": shortened(button.label, LABEL), "emoji": True},
        "action_id": action,
        "value": button.value,
    }
