"""What blocks say, as Slack writes text: escaped, with mentions in brackets. Pure functions."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator

from bot.platforms.slack.calls import Json

_BROADCAST = {"usergroup": ("usergroup_id", "!subteam^"), "broadcast": ("range", "!")}
_NAMED = {"user": ("user_id", "@"), "channel": ("channel_id", "#"), **_BROADCAST}


def words_in(blocks: Iterable[Json]) -> str:
    """The words of all of them, line by line."""
    return "\n".join(line for block in blocks for line in _lines(block) if line)


def _lines(block: Json) -> Iterator[str]:
    """The words of one block (docs.slack.dev, "Blocks"); of a kind without words, none."""
    match block.get("type"):
        case "rich_text":
            yield from map(_rich, block.get("elements") or ())
        case "section":
            yield from map(_text, (block.get("text"), *(block.get("fields") or ())))
        case "header" | "markdown":
            yield _text(block.get("text"))
        case "context":
            yield " ".join(map(_text, block.get("elements") or ()))
        case "table":
            for row in block.get("rows") or ():
                yield " | ".join(map(_cell, row))


def _text(text: object) -> str:
    """A text object; what is no `mrkdwn` is not escaped yet."""
    if isinstance(text, dict):
        words = str(text.get("text") or "")
        return words if text.get("type") == "mrkdwn" else _text(words)
    return html.escape(text, quote=False) if isinstance(text, str) else ""


def _cell(cell: Json | None) -> str:
    """A cell of a table, in one line; an empty one may be none."""
    if not cell:
        return ""
    words = _lines(cell) if cell.get("type") == "rich_text" else (_text(cell.get("text")),)
    return " ".join(" ".join(words).split())


def _rich(element: Json) -> str:
    """A section, list, quote or piece of code of a rich text."""
    if element.get("type") == "rich_text_list":
        return "\n".join(f"• {_rich(item)}" for item in element.get("elements") or ())
    words = _inline(element.get("elements") or ())
    return f"```\n{words}\n```" if element.get("type") == "rich_text_preformatted" else words


def _inline(elements: Iterable[Json]) -> str:
    return "".join(map(_piece, elements))


def _piece(piece: Json) -> str:
    kind = str(piece.get("type"))
    if kind in _NAMED:
        field, sign = _NAMED[kind]
        return f"<{sign}{piece.get(field)}>"
    if kind == "link":
        label = _text(piece.get("text"))
        return f"<{piece.get('url')}|{label}>" if label else f"<{piece.get('url')}>"
    if kind == "emoji":
        return f":{piece.get('name')}:"
    return _text(piece.get("text") or piece.get("fallback"))
