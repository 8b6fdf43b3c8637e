"""Markdown as the blocks of a rich message (https://core.telegram.org/bots/api#richblock).

A `RichText` is a string, a list of rich texts, or an object with a `type` and a `text`; a block may
hold blocks. Formulas stay as they are written. A single line break is none: "all the text above
was on the same line" (https://core.telegram.org/bots/api#rich-messages).
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from bot.sandbox.telegram.state import Json

RichText: TypeAlias = "str | list[RichText] | Json"

_TAG = re.compile(r"<[^<>]+>")
_SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)
_NOTE = re.compile(r"^[ ]{0,3}\[\^([^\[\]\s]+)\]:", re.MULTILINE)
_MARKS = {"strong": "bold", "em": "italic", "s": "strikethrough"}


def from_markdown(source: str) -> tuple[Json, ...]:
    """The blocks of a Markdown text: CommonMark with tables, `<details>` and footnotes."""
    for name in set(_NOTE.findall(source)):
        source = source.replace(f"[^{name}]:", f"\\[{name}]").replace(f"[^{name}]", f"\\[{name}]")
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return tuple(_blocks(iter(SyntaxTreeNode(parser.parse(source)).children)))


def words(block: Json) -> str:
    """What people read of a block."""
    match block["type"]:
        case "list":
            items = (item["label"] + " " + _joined(item["blocks"]) for item in block["items"])
            return "\n".join(items)
        case "table":
            rows = ((plain(cell["text"]) for cell in row) for row in block["cells"])
            return "\n".join(" | ".join(row) for row in rows)
        case "blockquote":
            return _joined(block["blocks"])
        case "details":
            return plain(block["summary"]) + "\n" + _joined(block["blocks"])
        case "divider":
            return ""
        case _:
            return plain(block["text"])


def plain(text: RichText) -> str:
    """A rich text without its marks."""
    if isinstance(text, str):
        return text
    if isinstance(text, list):
        return "".join(map(plain, text))
    return plain(text["text"])


def count(block: Json) -> int:
    """Blocks, list items and table rows, as the limit counts them."""
    return (
        1
        + sum(map(count, block.get("blocks", ())))
        + sum(1 + sum(map(count, item["blocks"])) for item in block.get("items", ()))
        + len(block.get("cells", ()))
    )


def depth(block: Json) -> int:
    """How deeply blocks and marks are nested."""
    inner = list(block.get("blocks", ()))
    inner += [part for item in block.get("items", ()) for part in item["blocks"]]
    return 1 + max([_marks(block.get("text", "")), *map(depth, inner)])


def columns(block: Json) -> int:
    """The width of a table; 0 for other blocks."""
    return max((len(row) for row in block.get("cells", ())), default=0)


def _joined(blocks: list[Json]) -> str:
    return "\n".join(filter(None, map(words, blocks)))


def _marks(text: RichText) -> int:
    if isinstance(text, str):
        return 0
    if isinstance(text, list):
        return max(map(_marks, text), default=0)
    return 1 + _marks(text["text"])


def _blocks(nodes: Iterator[SyntaxTreeNode]) -> Iterator[Json]:
    """The blocks of sibling nodes; ends early at `</details>`."""
    for node in nodes:
        if node.type != "html_block":
            yield _block(node)
        elif node.content.startswith("<details"):
            yield from _details(node.content, nodes)
        elif node.content.startswith("</details"):
            return
        else:
            yield from _from_html(node.content)


def _from_html(source: str) -> tuple[Json, ...]:
    """The words of an HTML text, one paragraph per line."""
    lines = html.unescape(_TAG.sub("\n", source)).split("\n")
    return tuple({"type": "paragraph", "text": line} for line in lines if line.strip())


def _details(content: str, nodes: Iterator[SyntaxTreeNode]) -> Iterator[Json]:
    found = _SUMMARY.search(content)
    opening, whole = content.partition(">")[0], "</details>" in content
    rest = content[found.end() :] if found else content
    yield {
        "type": "details",
        "summary": html.unescape(found[1]).strip() if found else "",
        "blocks": [*_from_html(rest), *([] if whole else _blocks(nodes))],
        "is_open": " open" in opening,
    }


def _block(node: SyntaxTreeNode) -> Json:
    match node.type:
        case "heading":
            return {"type": "heading", "text": _inline(node), "size": int(node.tag[1:])}
        case "fence" | "code_block":
            pre = {"type": "pre", "text": node.content.rstrip("\n")}
            language = node.info.strip()
            return pre | ({"language": language} if language else {})
        case "hr":
            return {"type": "divider"}
        case "blockquote":
            return {"type": "blockquote", "blocks": list(_blocks(iter(node.children)))}
        case "bullet_list" | "ordered_list":
            first = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else None
            return {"type": "list", "items": list(_items(node, first))}
        case "table":
            return {"type": "table", "cells": list(_rows(node))}
        case _:
            return {"type": "paragraph", "text": _inline(node)}


def _items(node: SyntaxTreeNode, first: int | None) -> Iterator[Json]:
    for index, item in enumerate(node.children):
        label = "•" if first is None else f"{first + index}."
        yield {"label": label, "blocks": list(_blocks(iter(item.children)))}


def _rows(table: SyntaxTreeNode) -> Iterator[list[Json]]:
    for row in (row for part in table.children for row in part.children):
        yield [
            {"text": _inline(cell), "align": "left", "valign": "top"}
            | ({"is_header": True} if cell.type == "th" else {})
            for cell in row.children
        ]


def _inline(node: SyntaxTreeNode) -> RichText:
    parts = [part for inline in node.children for part in _parts(inline)]
    return parts[0] if len(parts) == 1 else parts


def _parts(node: SyntaxTreeNode) -> list[RichText]:
    return [part for part in map(_mark, node.children) if part != ""]


def _mark(node: SyntaxTreeNode) -> RichText:
    if node.type in {"softbreak", "hardbreak"}:
        return "\n" if node.type == "hardbreak" else " "
    if node.type == "code_inline":
        return {"type": "code", "text": node.content}
    if node.type == "html_inline":
        return ""
    if node.type in _MARKS:
        return {"type": _MARKS[node.type], "text": _parts(node)}
    if node.type == "link":
        return {"type": "url", "text": _parts(node), "url": str(node.attrs["href"])}
    return node.content
