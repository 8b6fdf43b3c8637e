"""Formatted text as HTML: of Telegram's entities, and of the blocks of a rich message.

Everything that somebody wrote is escaped; only the tags written here reach the page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import TypeAlias

from bot.sandbox.pages import links
from bot.sandbox.telegram.blocks import RichText
from bot.sandbox.telegram.entities import Entity
from bot.sandbox.telegram.state import Json

_TAGS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
}
_CLASSES = {
    "spoiler": "spoiler",
    "bot_command": "command",
    "mention": "mention",
    "hashtag": "mention",
    "cashtag": "mention",
    "text_mention": "mention",
}
_Part: TypeAlias = Callable[[int, int], str]
"""The text between two offsets, escaped."""


def from_entities(text: str, entities: Sequence[Entity]) -> str:
    """The text with its entities as HTML; line breaks stay, the page keeps them."""
    units = text.encode("utf-16-le")

    def part(start: int, end: int) -> str:
        return escape(units[start * 2 : end * 2].decode("utf-16-le", "replace"))

    out: list[str] = []
    open_until: list[tuple[int, str]] = []
    at = 0
    for entity in sorted(entities, key=lambda each: (each["offset"], -each["length"])):
        at = _close(out, open_until, at, entity["offset"], part)
        out.append(part(at, entity["offset"]))
        at = entity["offset"]
        covered = units[at * 2 : (at + entity["length"]) * 2].decode("utf-16-le", "replace")
        opening, closing = _tags(entity, covered)
        out.append(opening)
        end = at + entity["length"]
        open_until.append((min(end, open_until[-1][0]) if open_until else end, closing))
    at = _close(out, open_until, at, len(units) // 2, part)
    out.append(part(at, len(units) // 2))
    return "".join(out)


def _close(
    out: list[str],
    open_until: list[tuple[int, str]],
    at: int,
    until: int,
    part: _Part,
) -> int:
    """Close what ends before or at `until`; returns how far the text is written."""
    while open_until and open_until[-1][0] <= until:
        end, closing = open_until.pop()
        out += [part(at, end), closing]
        at = end
    return at


def _tags(entity: Entity, covered: str) -> tuple[str, str]:
    kind = entity["type"]
    if kind in _TAGS:
        return f"<{_TAGS[kind]}>", f"</{_TAGS[kind]}>"
    if kind in _CLASSES:
        return f'<span class="{_CLASSES[kind]}">', "</span>"
    match kind:
        case "pre":
            language = escape(entity.get("language", ""))
            return f'<pre data-language="{language}">', "</pre>"
        case "blockquote":
            return "<blockquote>", "</blockquote>"
        case "expandable_blockquote":
            return '<blockquote class="folded">', "</blockquote>"
        case "text_link" | "url" | "email":
            return links.opening(entity.get("url") or covered), "</a>"
        case _:
            return "<span>", "</span>"


# ---------------------------------------------------------------- rich messages


def from_blocks(blocks: Iterable[Json]) -> str:
    """The blocks of a rich message as HTML."""
    return "".join(map(_block, blocks))


def _block(block: Json) -> str:
    match block["type"]:
        case "heading":
            return f"<h{block['size']}>{_inline(block['text'])}</h{block['size']}>"
        case "pre":
            language = escape(block.get("language", ""))
            return f'<pre data-language="{language}">{_inline(block["text"])}</pre>'
        case "divider":
            return "<hr>"
        case "blockquote":
            return f"<blockquote>{from_blocks(block['blocks'])}</blockquote>"
        case "details":
            summary = f"<summary>{_inline(block['summary'])}</summary>"
            opened = " open" if block.get("is_open") else ""
            return f"<details{opened}>{summary}{from_blocks(block['blocks'])}</details>"
        case "list":
            items = (
                f"<li><span>{escape(item['label'])}</span>"
                f"<div>{from_blocks(item['blocks'])}</div></li>"
                for item in block["items"]
            )
            return f"<ul>{''.join(items)}</ul>"
        case "table":
            return f"<table>{''.join(map(_row, block['cells']))}</table>"
        case _:
            return f"<p>{_inline(block['text'])}</p>"


def _row(cells: Sequence[Json]) -> str:
    tags = ("th" if cell.get("is_header") else "td" for cell in cells)
    inner = (
        f"<{tag}>{_inline(cell['text'])}</{tag}>" for tag, cell in zip(tags, cells, strict=True)
    )
    return f"<tr>{''.join(inner)}</tr>"


def _inline(text: RichText) -> str:
    if isinstance(text, str):
        return escape(text)
    if isinstance(text, list):
        return "".join(map(_inline, text))
    if text["type"] == "url":
        return f"{links.opening(text['url'])}{_inline(text['text'])}</a>"
    tag = _TAGS.get(text["type"], "span")
    return f"<{tag}>{_inline(text['text'])}</{tag}>"
