"""Markdown as Telegram shows it: text and entities, never a `parse_mode`.

telegramify-markdown turns parsed Markdown into text and entities. What Telegram has no form for,
or would refuse, is rewritten before it gets there (`rewriting`), and what is still being written is
completed first (`partial`). All offsets count UTF-16 code units.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from telegramify_markdown.config import RenderConfig
from telegramify_markdown.converter import EventWalker
from telegramify_markdown.entity import MessageEntity, utf16_len

from bot.core.delivery.cells import with_cells
from bot.platforms.markdown.formulas import in_one_line
from bot.platforms.markdown.references import named
from bot.platforms.telegram.markdown.emphasis import with_html_emphasis
from bot.platforms.telegram.markdown.partial import complete
from bot.platforms.telegram.markdown.rewriting import parse
from bot.platforms.telegram.markdown.ringed_letters import with_rings

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_ENTITIES = 100
"""More are silently ignored (Bot API, `sendMessage`)."""
MAX_WEIGHT = 8_000
"""Bytes of entities in a message, with the addresses of its links: above some 9,500 Telegram takes
none of it, `ENTITIES_TOO_LONG` (github.com/tdlib/telegram-bot-api/issues/165)."""
REMEMBERED = 64
"""A text is measured before it is sent, so the newest renderings are kept."""
SHORT = 1000
"""Characters up to which a text is not rendered to be measured."""
_GROWING = re.compile(r"[|$\t]|!\[|\\[(\[]|<[a-z!/]", re.IGNORECASE)
LINE_ENDS = re.compile("[\u2028\u2029\u0085]")
"""Unicode's own, which Telegram takes out of a text: it would join the words around them."""
_HALVES = re.compile("[\ud800-\udfff]")
_MARKERS = re.compile(r"[*_~`\[#>&]+|^[-=]{3}|^(?: {4}|\t)", re.MULTILINE)
BLANKS = frozenset("\u2800\ufffc\u030a\u0333\u033f")
"""What Unicode counts among the signs, and TDLib among the blanks (`is_empty_string` in misc.cpp)
or takes out of a text (`clean_input_string` there)."""
JOINER = "\u200d"
NOTHING = "…"
_PARENTS = re.compile(
    r"(?:(?P<outer> *)(?:•|\d+\.) *(?:\n|\Z))+(?:\Z|(?P<inner> *)(?=[•☐☑]|\d+\.))"
)
"""Bare signs of items at the beginning of a text, and how far the item in them is indented."""
NO_BREAK = "\N{NO-BREAK SPACE}"
"""What Telegram leaves at the beginning of a text."""
_WORTH = {"text_link": 0, "pre": 1, "code": 2, "blockquote": 3, "spoiler": 4, "bold": 5}
"""Which kinds of entities are kept of too many: the lower first, and others last."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is sent."""

    text: str
    entities: tuple[MessageEntity, ...] = ()

    @property
    def length(self) -> int:
        """As Telegram counts it."""
        return utf16_len(self.text)

    @property
    def colour(self) -> float:
        """How colourful it is: above 1 it has more entities than a message can have.

        They are limited in number, and in the bytes that they take.
        """
        weight = sum(map(_weight, self.entities))
        return max(len(self.entities) / MAX_ENTITIES, weight / MAX_WEIGHT)

    @property
    def is_caption(self) -> bool:
        """Whether it can stand under a picture or a file."""
        return self.length <= MAX_CAPTION and self.colour <= 1

    @property
    def is_visible(self) -> bool:
        """Whether there is anything to see; Telegram takes no empty message."""
        return is_visible(self.text)


def is_visible(text: str) -> bool:
    """Whether Telegram finds anything in a text."""
    return any(
        unicodedata.category(character)[0] not in "ZC" and character not in BLANKS
        for character in text
    )


def _configuration() -> RenderConfig:
    config = RenderConfig.isolated()
    symbols = config.markdown_symbol
    symbols.heading_level_1 = symbols.heading_level_2 = ""
    symbols.heading_level_3 = symbols.heading_level_4 = ""
    symbols.unordered_list_item = "•"
    symbols.task_completed, symbols.task_uncompleted = "☑", "☐"
    symbols.horizontal_rule = "———"
    config.cite_expandable = False  # a quote must not fold up while it is being written
    return config


_CONFIG = _configuration()


def render(markdown: str, *, partial: bool = False) -> Rendered:
    """Render a text, whole or still being written; a whole one that shows nothing, as it came."""
    if partial:
        return _draw(complete(_repaired(markdown)), partial=True)
    return _whole(markdown)


@lru_cache(maxsize=REMEMBERED)
def _whole(markdown: str) -> Rendered:
    source = _repaired(markdown)
    rendered = _draw(source)
    if not rendered.is_visible:
        rendered = Rendered(source.strip())
    return rendered if rendered.is_visible else Rendered(NOTHING)


def _draw(source: str, *, partial: bool = False) -> Rendered:
    source = with_html_emphasis(named(with_cells(in_one_line(source)), partial=partial))
    events, parsed = parse(source, partial=partial)
    text, found, _ = EventWalker(_CONFIG, parsed).walk(events)
    return _stripped(text, found)


def _repaired(text: str) -> str:
    """Join the halves of characters that came apart; a half that is alone is replaced.

    All ends of lines are written alike. Telegram makes one blank of a tab, which would flatten
    code; where a tab begins a line, Markdown takes it for blanks up to the next fourth column
    anyhow. A ring on a letter it takes away.
    """
    if LINE_ENDS.search(text):
        text = LINE_ENDS.sub("\n", text)
    text = with_rings(text)
    if "\t" in text:
        text = text.expandtabs(4)
    if _HALVES.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def measure(markdown: str) -> int:
    """How much of `MAX_TEXT` a text takes; one that is too colourful counts as too long.

    For a short text it is an upper bound, which costs nothing.
    """
    if len(markdown) <= SHORT and _is_simple(markdown):
        return 2 * utf16_len(markdown)
    rendered = render(markdown)
    if (colour := rendered.colour) <= 1:
        return rendered.length
    return max(rendered.length, math.ceil(colour * MAX_TEXT))


def _is_simple(markdown: str) -> bool:
    """At worst it grows by line ends between lists, and it cannot hold too many entities."""
    return not _GROWING.search(markdown) and len(_MARKERS.findall(markdown)) <= MAX_ENTITIES


def pages(rendered: Rendered) -> list[Rendered]:
    """The text in as many messages as it needs; one, unless it is too long or too colourful."""
    if rendered.length <= MAX_TEXT and rendered.colour <= 1:
        return [rendered]
    return [page for part in _cut(rendered, MAX_TEXT) for page in _thin(part)]


def _thin(part: Rendered) -> Iterator[Rendered]:
    """Halve a text until no part is too colourful; a text of one line loses some entities."""
    if part.colour <= 1:
        yield part
        return
    halves = _cut(part, max(1, part.length // 2 + 1)) if "\n" in part.text.strip() else []
    if len(halves) > 1:
        for half in halves:
            yield from _thin(half)
        return
    best = sorted(part.entities, key=lambda e: (_WORTH.get(e.type, 9), e.offset))[:MAX_ENTITIES]
    while (kept := Rendered(part.text, tuple(sorted(best, key=_place)))).colour > 1:
        best.pop()
    yield kept


def _cut(rendered: Rendered, limit: int) -> list[Rendered]:
    """Cut into parts of at most `limit`, at the ends of lines or of words where there are some."""
    parts: list[Rendered] = []
    rest, shift = rendered.text, 0
    while rest:
        head = rest.encode("utf-16-le")[: 2 * limit].decode("utf-16-le", "ignore")
        if len(head) < len(rest):
            head = head[: _best_end(rest, len(head))] or rest[:1]
        end = shift + utf16_len(head)
        inside = [e for e in rendered.entities if e.offset < end and e.offset + e.length > shift]
        moved = [replace(e, offset=e.offset - shift) for e in inside]
        part = _stripped(head, moved)
        parts += [part] if part.text else []
        rest, shift = rest[len(head) :], end
    return parts


def _best_end(text: str, end: int) -> int:
    """Where to cut: after a line or a word in the second half, else between two characters."""
    for space in ("\n", " "):
        at = text.rfind(space, end // 2, end)
        if at > 0:
            return at + 1
    at = end
    while at > end // 2 and (unicodedata.combining(text[at]) or JOINER in text[at - 1 : at + 1]):
        at -= 1
    return max(1, at)


def _stripped(text: str, entities: list[MessageEntity]) -> Rendered:
    """Without white space around it, as Telegram would store it, and without what is outside."""
    lead, indent = _lead(text, entities), 0
    parents = _PARENTS.match(text, lead)
    if parents and (parents["inner"] is None or parents["inner"] > parents["outer"]):
        lead, indent = parents.end(), len(parents["inner"] or "")
    shift = utf16_len(text[:lead]) - indent
    text = NO_BREAK * indent + text[lead:].rstrip()
    end = utf16_len(text)
    kept: dict[tuple[str, int, int], MessageEntity] = {}
    for e in entities:
        start, stop = max(0, e.offset - shift), min(end, e.offset + e.length - shift)
        if start < stop:
            kept[e.type, start, stop] = replace(e, offset=start, length=stop - start)
    return Rendered(text, tuple(sorted(kept.values(), key=_place)))


def _lead(text: str, entities: list[MessageEntity]) -> int:
    """Where a text begins: after white space, but with the indentation of code."""
    lead = len(text) - len(text.lstrip())  # characters are UTF-16 code units up to here
    for e in entities:
        if e.type == "pre" and e.offset < lead < e.offset + e.length:
            return max(e.offset, text.rfind("\n", 0, lead) + 1)
    return lead


def _place(entity: MessageEntity) -> tuple[int, int]:
    return entity.offset, -entity.length


def _weight(entity: MessageEntity) -> int:
    """Bytes of it (telegram_api.tl of TDLib: a constructor, two numbers, an address)."""
    return 12 + len((entity.url or entity.language or "").encode())
