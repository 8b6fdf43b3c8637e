"""Rich messages: Markdown as it is, with tables, formulas and headings (Bot API 10.1).

https://core.telegram.org/bots/api#rich-messages: up to 32,768 characters, 500 blocks, tables of 20
columns. Nothing may be fetched from where a model wishes (see `inert`).
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

from telegramify_markdown.entity import utf16_len

from bot.core.delivery.emphasis import undecided
from bot.core.delivery.item_numbers import most_lists
from bot.core.delivery.markdown import LineKind, closed, lines
from bot.core.delivery.split import pages as cut
from bot.core.types import Thoughts
from bot.platforms.telegram.markdown.dialect import in_dialect
from bot.platforms.telegram.markdown.inert import inert, inert_in_html
from bot.platforms.telegram.markdown.partial import complete
from bot.platforms.telegram.markdown.render import BLANKS, NOTHING, is_visible

MAX_RICH = 32_768
MAX_BLOCKS = 500
BLOCKS_PER_LINE = 2
"""A line is at most an item of a list and the paragraph in it, and the list if it begins with it;
code is one block in all."""
ROOM_FOR_TAGS = 80

_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")


@dataclass(frozen=True, slots=True)
class RichText:
    """What is sent as it is; Telegram reads the Markdown."""

    markdown: str

    @property
    def is_visible(self) -> bool:
        """Whether there is anything to see: more than marks and blanks."""
        return any(
            unicodedata.category(character)[0] in "LNS" and character not in BLANKS
            for character in self.markdown
        )


def compose(markdown: str, *, partial: bool = False) -> RichText:
    """A text, whole or still being written."""
    if partial:
        markdown = complete(markdown[: undecided(markdown)])
        at = markdown.rfind("<summary>")
        is_summary = at > markdown.rfind("</summary>") and markdown[at - 1 : at] != "`"
        markdown += "</summary>" if is_summary else ""
    safe = inert(in_dialect(markdown, partial=partial)).rstrip()
    return RichText(_BLANK_LINES.sub("", safe))


def measure(markdown: str) -> int:
    """How much of `MAX_RICH` a text takes; one with too many blocks counts as too long."""
    length = utf16_len(markdown)
    if markdown.count("\n") * (BLOCKS_PER_LINE + 1) < MAX_BLOCKS:
        return length
    drawn = sum(line.kind not in (LineKind.BLANK, LineKind.CODE) for line in lines(markdown))
    blocks = drawn * BLOCKS_PER_LINE + most_lists(markdown)
    return max(length, math.ceil(blocks * MAX_RICH / MAX_BLOCKS))


def pages(markdown: str) -> list[RichText]:
    """The text in as many messages as it needs."""
    found = [compose(page) for page in cut(markdown, MAX_RICH, measure, around="…")]
    return [page for page in found if is_visible(page.markdown)] or [RichText(NOTHING)]


def folded(page: RichText, thoughts: Thoughts | None) -> RichText:
    """The page with as much of the thoughts under it as there is room for."""
    if thoughts is None:
        return page
    taken = measure(page.markdown) + utf16_len(thoughts.title) + ROOM_FOR_TAGS
    first = next(cut(thoughts.text, max(1, MAX_RICH - taken), measure), "")
    words = inert_in_html(in_dialect(closed(first)))
    if taken + measure(words) > MAX_RICH:
        return page
    details = f"<details><summary>{thoughts.title}</summary>\n\n{words}\n\n</details>"
    return RichText(f"{closed(page.markdown)}\n\n{details}")
