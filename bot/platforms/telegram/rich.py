"""Rich messages: Markdown as it is, with tables, formulas and headings (Bot API 10.1).

https://core.telegram.org/bots/api#rich-messages: up to 32,768 characters, 500 blocks, tables of 20
columns. Pictures in the text would be fetched by Telegram from wherever a model wishes, and tell
that server what stands in the address, so they become links.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

from telegramify_markdown.entity import utf16_len

from bot.core.delivery.markdown import LineKind, closed, lines
from bot.core.delivery.split import pages as cut
from bot.core.types import Thoughts
from bot.platforms.telegram.partial import complete

MAX_RICH = 32_768
MAX_BLOCKS = 500
BLOCKS_PER_LINE = 2
"""A line is at most an item of a list and the paragraph in it; code is one block in all."""
ROOM_FOR_TAGS = 80

_MEDIA = re.compile(
    r"<(?=/?(?:img|video|audio|picture|source|iframe|embed|object|tg-[a-z]+)\b)", re.IGNORECASE
)
_HTML = re.compile(r"^[ >\t]*<", re.MULTILINE)
_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")
_OPENING = re.compile(r"(`{3,})[^`]*|(~{3,}).*")


@dataclass(frozen=True, slots=True)
class RichText:
    """What is sent as it is; Telegram reads the Markdown."""

    markdown: str

    @property
    def is_visible(self) -> bool:
        """Whether there is anything to see."""
        return any(unicodedata.category(character)[0] in "LNS" for character in self.markdown)


def compose(markdown: str, *, partial: bool = False) -> RichText:
    """A text, whole or still being written."""
    whole = markdown.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    inert = _inert(complete(whole) if partial else whole).rstrip()
    return RichText(_BLANK_LINES.sub("", inert))


def measure(markdown: str) -> int:
    """How much of `MAX_RICH` a text takes; one with too many blocks counts as too long."""
    length = utf16_len(markdown)
    if markdown.count("\n") * BLOCKS_PER_LINE < MAX_BLOCKS:
        return length
    drawn = sum(line.kind not in (LineKind.BLANK, LineKind.CODE) for line in lines(markdown))
    blocks = drawn * BLOCKS_PER_LINE
    return max(length, math.ceil(blocks * MAX_RICH / MAX_BLOCKS))


def pages(markdown: str) -> list[RichText]:
    """The text in as many messages as it needs."""
    return [compose(page) for page in cut(markdown, MAX_RICH, measure)] or [RichText("…")]


def folded(page: RichText, thoughts: Thoughts | None) -> RichText:
    """The page with as much of the thoughts under it as there is room for."""
    if thoughts is None:
        return page
    taken = measure(page.markdown) + utf16_len(thoughts.title) + ROOM_FOR_TAGS
    first = next(cut(thoughts.text, max(1, MAX_RICH - taken), measure), "")
    if taken + measure(first) > MAX_RICH:
        return page
    words = closed(first).replace("<", "&lt;")
    details = f"<details><summary>{thoughts.title}</summary>\n\n{words}\n\n</details>"
    return RichText(f"{closed(page.markdown)}\n\n{details}")


def _inert(markdown: str) -> str:
    """The text with links in place of pictures, and no other media.

    Code stays as it is only where every reader of Markdown sees code: in a fence at the margin, in
    a text without blocks of HTML. Else a picture could pass for code here, and be fetched there.
    """
    markdown = markdown.replace("\r\n", "\n").replace("\r", "\n")
    spared = _HTML.search(markdown) is None
    fence, safe = "", []
    for line in markdown.split("\n"):
        if fence:
            is_closing = line.strip().startswith(fence) and not line.strip().strip(fence[0])
            fence = "" if is_closing and not line.startswith("    ") else fence
        elif spared and (opening := _OPENING.fullmatch(line)) is not None:
            fence = opening[1] or opening[2]
        else:
            line = _MEDIA.sub("&lt;", line.replace("![", "["))
        safe.append(line)
    return "\n".join(safe)
