"""Rich messages (Bot API 10.1): Markdown or HTML taken as it is, up to 32,768 characters.

TDLib parses them on Telegram's servers, not here, so this is a reading of the documentation
(https://core.telegram.org/bots/api#rich-messages): blocks are counted and measured with a
CommonMark parser, and what people read is the text without its markers.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.sandbox.telegram.entities import utf16_length
from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import Json, Rich

MAX_TEXT = 32_768
MAX_BLOCKS = 500
MAX_DEPTH = 16
MAX_COLUMNS = 20

_TAG = re.compile(r"<[^<>]+>")


def content_of(params: Params) -> Rich:
    """The parameter `rich_message`, judged by the documented limits. Raises `BadRequest`."""
    value = params.parsed("rich_message", "rich message")
    if not isinstance(value, dict):
        raise BadRequest("Object expected as rich message")
    given = [kind for kind in ("markdown", "html", "blocks") if value.get(kind)]
    if not given:
        raise BadRequest("rich message must be non-empty")
    if len(given) > 1:
        raise BadRequest("exactly one of the fields html, markdown, or blocks must be used")
    if given == ["blocks"]:
        raise BadRequest("the sandbox takes rich messages as markdown or html only")
    source = str(value[given[0]])
    return _from_markdown(source) if given == ["markdown"] else _from_html(source)


def _from_html(source: str) -> Rich:
    text = html.unescape(_TAG.sub("", source)).strip()
    _check_size(text)
    return Rich(source, ({"type": "paragraph", "text": text},), text)


def _from_markdown(source: str) -> Rich:
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(source)
    blocks = tuple(_blocks(tokens))
    text = "\n".join(block["text"] for block in blocks if block["text"])
    _check_size(text)
    if len(blocks) > MAX_BLOCKS:
        raise BadRequest("RICH_MESSAGE_BLOCKS_TOO_MUCH")
    if _depth(tokens) > MAX_DEPTH:
        raise BadRequest("RICH_MESSAGE_DEPTH_INVALID")
    if _columns(tokens) > MAX_COLUMNS:
        raise BadRequest("RICH_MESSAGE_TABLE_COLUMNS_TOO_MUCH")
    return Rich(source, blocks, text)


def _check_size(text: str) -> None:
    if not text:
        raise BadRequest("rich message must be non-empty")
    if utf16_length(text) > MAX_TEXT:
        raise BadRequest("Message is too long")


def _blocks(tokens: Sequence[Token]) -> Iterator[Json]:
    """One block per paragraph, heading, code, rule, list item and table row."""
    kind = "paragraph"
    row: list[str] | None = None
    for token in tokens:
        if token.type == "heading_open":
            kind = "heading"
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            yield {"type": "table_row", "text": " | ".join(row)}
            row = None
        elif token.type == "inline":
            if row is not None:
                row.append(_words(token))
            else:
                yield {"type": kind, "text": _words(token)}
            kind = "paragraph"
        elif token.type in {"fence", "code_block"}:
            block = {"type": "preformatted", "text": token.content.rstrip("\n")}
            yield block | ({"language": token.info} if token.info else {})
        elif token.type == "hr":
            yield {"type": "divider", "text": ""}
        elif token.type == "html_block":
            yield {"type": "html", "text": html.unescape(_TAG.sub("", token.content)).strip()}


def _words(inline: Token) -> str:
    """The words of a paragraph, without its markers."""
    words = []
    for token in inline.children or ():
        if token.type in {"text", "code_inline"}:
            words.append(token.content)
        elif token.type in {"softbreak", "hardbreak"}:
            words.append("\n")
        elif token.type == "image":
            words.append(token.content)
    return "".join(words)


def _depth(tokens: Sequence[Token]) -> int:
    """The deepest nesting of quotes, list items and marked words."""
    deepest = nested = 0
    for token in tokens:
        if token.type in {"blockquote_open", "list_item_open"}:
            nested += 1
        elif token.type in {"blockquote_close", "list_item_close"}:
            nested -= 1
        inner = max((child.level for child in token.children or ()), default=0)
        deepest = max(deepest, nested + inner)
    return deepest


def _columns(tokens: Sequence[Token]) -> int:
    widest = width = 0
    for token in tokens:
        if token.type == "tr_open":
            width = 0
        elif token.type in {"th_open", "td_open"}:
            width += 1
            widest = max(widest, width)
    return widest
