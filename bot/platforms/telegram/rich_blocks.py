"""The words and the files of a rich message that comes in; the words as a model can read them.

A rich message holds blocks, and a block holds words or other blocks. Words are a string, several
words after each other, or an object that says what they look like
(https://core.telegram.org/bots/api#richblock, https://core.telegram.org/bots/api#richtext).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

MEDIA = frozenset({"animation", "audio", "document", "photo", "video", "voice_note"})
"""The types of blocks that are a file (https://core.telegram.org/bots/api#richblock)."""


def with_address(label: str, address: str) -> str:
    """A link as words: Telegram shows the label alone, and what it leads to is asked about too."""
    is_told = label.rstrip("/") in {address.rstrip("/"), address.partition("://")[2].rstrip("/")}
    return address if is_told else f"{label} ({address})"


def words_in(blocks: Iterable[Any]) -> str:
    """All that the blocks say, one under the other."""
    return "\n".join(line for block in blocks for line in _lines(block) if line)


def media_in(blocks: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """The blocks that hold a file, in their order; also those in a collage, a list and the like."""
    for block in blocks:
        if block.get("type") in MEDIA:
            yield block
        yield from media_in(block.get("blocks", ()))
        yield from media_in(block.get("items", ()))


def _lines(block: dict[str, Any]) -> Iterator[str]:
    """What one block says: its own words, then what is in it, then what is said about it."""
    yield _inline(block.get("summary"))
    yield _inline(block.get("text"))
    if formula := block.get("expression"):
        yield f"$${formula}$$"
    for item in block.get("items", ()):
        yield _item(item)
    for row in block.get("cells", ()):
        yield " | ".join(_inline(cell.get("text")) for cell in row)
    yield words_in(block.get("blocks", ()))
    yield _inline(block.get("caption"))
    yield _inline(block.get("credit"))


def _item(item: dict[str, Any]) -> str:
    box = ("☑" if item.get("is_checked") else "☐") if item.get("has_checkbox") else ""
    return " ".join(filter(None, (box or item.get("label"), words_in(item.get("blocks", ())))))


def _inline(text: object) -> str:
    """Words without what they look like; a formula as Markdown has it, a link with its address."""
    if isinstance(text, str):
        return text
    if isinstance(text, list):
        return "".join(map(_inline, text))
    if not isinstance(text, dict):
        return ""
    if formula := text.get("expression"):
        return f"${formula}$"
    words = _inline(text.get("text")) or str(text.get("alternative_text", ""))
    return with_address(words, text["url"]) if text.get("type") == "url" else words
