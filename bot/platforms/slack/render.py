"""The core's Markdown as Slack takes it. Pure functions.

Slack draws CommonMark with tables in the `markdown` block (docs.slack.dev, "Markdown block": at
most 12,000 characters per message) and in streams. What a model writes must not notify anybody:
an invisible character inside `<!channel>`, `<@U…>` or `@here` makes them plain words.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from bot.core.delivery.emphasis import GAP, as_meant, most_signs, undecided
from bot.core.delivery.markdown import outside_code
from bot.core.punctuation import shortened
from bot.core.types import Button, ButtonRow, Feedback, Reply, Thoughts
from bot.platforms.markdown import formulas
from bot.platforms.markdown.boxes import with_boxes
from bot.platforms.markdown.formulas import as_code, words_as_code
from bot.platforms.markdown.references import with_numbers, without_links
from bot.platforms.slack import tags
from bot.platforms.slack.long_bold import SEAM, closed, in_pieces, most_seams
from bot.platforms.slack.tags import as_markdown

Json: TypeAlias = dict[str, Any]

MAX_TEXT = 12_000
STREAM_TEXT = 9_000
"""Bytes of UTF-8 on a page that is streamed. See `STREAM_BYTES` of the draft: a page and the tasks
beside it fit into one stream, so that a long answer is streamed to its end."""
FALLBACK = 1_000
"""Characters of the escaped text beside the blocks: notifications show it, and `chat.update` fails
above 4,000."""
SECTION = 3_000
THOUGHTS = 2_000
"""Characters of thoughts at most: they count in what a message may hold, and few read them."""
MAX_BLOCKS = 50
ROW = 25
LABEL = 75
JOINER = "\N{WORD JOINER}"

_PING = re.compile(
    r"<(?=!(?:channel|here|everyone|subteam|group)|@[UWB][A-Z0-9]|\#[CG][A-Z0-9])"
    r"|@(?<![a-z0-9]@)(?<!\.@)(?=(?:channel|here|everyone))",
    re.IGNORECASE,
)
_NAME = re.compile(r"^[ ]{0,3}\[[^\[\]\n]+\](?=:)", re.MULTILINE)
"""Of a footnote or an address: with its colon CommonMark would not show the line."""
_HALF_ENTITY = re.compile(r"&[a-z]*\Z")
_BEGUN = re.compile(r"(?:<(?:[!@#][a-z]{0,7})?|@[a-z]{0,7})\Z", re.IGNORECASE)


def neutralise(text: str) -> str:
    """The text with every mention made inert."""
    if "<" not in text and "@" not in text:
        return text
    return _PING.sub(lambda found: found[0] + JOINER, text)


def written(text: str) -> str:
    """A Markdown text as Slack is given it: mentions are inert, emphasis and footnotes are seen.

    Formulas are code, since Slack draws none, and tags are Markdown; long bold is in pieces. What
    a name stands for is to be read, since a stream cannot make links of words that it has shown.
    A backslash before an asterisk is not shown (docs.slack.dev, "Markdown block").
    """
    return neutralise(outside_code(text, _words))


def _words(text: str) -> str:
    """What stands outside of fenced code."""
    if "[" in text:
        text = with_boxes(with_numbers(without_links(text)))
    text = as_meant(in_pieces(words_as_code(as_markdown(text))))
    return _NAME.sub(lambda found: found[0] + JOINER, text) if "]:" in text else text


def settled(text: str) -> str:
    """What of an unfinished text can be written for good: a mention or tag may be half written.

    Where `a` begins `b`, `written(settled(a))` begins `written(settled(b))`, but for rare asterisks
    about which much later words decide, as in a formula that ends. Then a stream cannot go on.
    """
    mention = _BEGUN.search(text)
    text = text[: mention.start()] if mention else text
    return closed(text[: min(undecided(text), formulas.begun(text), tags.begun(text))])


def measure(text: str) -> int:
    """How much of `MAX_TEXT` a Markdown text takes, in UTF-16 units to be on the safe side."""
    text = as_code(text)
    added = most_signs(text) + most_seams(text) * SEAM
    return len(neutralise(text).encode("utf-16-le")) // 2 + added


def measure_stream(text: str) -> int:
    """How much of `STREAM_TEXT` a Markdown text takes: Slack counts a stream in bytes."""
    text = as_code(text)
    added = most_signs(text) * len(GAP.encode()) + most_seams(text) * SEAM
    return len(neutralise(text).encode()) + added


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
