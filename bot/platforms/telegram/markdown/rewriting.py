"""Parsed Markdown, rewritten so that Telegram can show all of it.

pyromark's events come in and go out; telegramify-markdown makes text of them. Between the two,
what it would drop or what Telegram would refuse becomes something both know: HTML turns into the
formatting it means, or else stays readable; a table becomes aligned lines; a formula becomes
Unicode; a link with an address that Telegram refuses keeps its text and loses only the link.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bot.platforms.markdown.formulas import unicode_formula
from bot.platforms.markdown.tags import (
    SIMPLE_TAGS,
    STRUCTURE,
    Tag,
    as_markdown,
    plain,
    read_tag,
)
from bot.platforms.telegram.markdown.dollars import is_price, with_dollars, with_prices
from bot.platforms.telegram.markdown.links import usable
from bot.platforms.telegram.markdown.list_items import with_breaks
from bot.platforms.telegram.markdown.literal_tags import with_literal_tags
from bot.platforms.telegram.markdown.parser import (
    NOWHERE,
    Event,
    Payload,
    address_of,
    ended,
    events_of,
    is_no_address,
    started,
)
from bot.platforms.telegram.markdown.tables import layout

SPOILER = re.compile(r"\|\|(?=[^\s|])(.+?)(?<=[^\s|])\|\|", re.DOTALL)
_ADDRESS = re.compile(r"(?:mailto:|tel:)([^\s/?]{1,200})\S*|((?:https?|ftp)://[^\s/]\S{0,200})")
"""What people can use though it is no link."""
_LINE: Payload = "HardBreak"


def parse(markdown: str, *, partial: bool = False) -> tuple[tuple[Event, ...], str]:
    """The events to render, and the text that their ranges count in.

    Of a text that is still being written, the last table may get more rows.
    """
    text = with_prices(with_dollars(markdown))
    events, literal = with_literal_tags(text, partial=partial)
    rewriter = _Rewriter(text, partial=partial, literal=literal)
    return tuple(with_breaks(rewriter.rewrite(events))), text


class _Rewriter:
    """Rewrites the events of one text, in one pass.

    `literal` are the places of tags that are words.
    """

    def __init__(
        self,
        source: str,
        *,
        inside_html: bool = False,
        partial: bool = False,
        literal: frozenset[int] = frozenset(),
    ) -> None:
        self._source = source.encode()
        self._end = len(self._source.rstrip()) if partial else math.inf
        self._inside_html = inside_html
        self._literal = literal
        self._closers: list[tuple[str, list[Payload]]] = []  # what ends each open link and the like
        self._tags: list[Tag] = []
        self._note = ""

    def rewrite(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events to render."""
        stream = iter(events)
        for payload, place in stream:
            match started(payload) or ended(payload):
                case "Table" if isinstance(payload, dict):
                    yield from self._table(payload, stream, place)
                case "HtmlBlock":
                    yield from self._html_block(stream)
                case "Link" | "Image" | "Strikethrough" | "BlockQuote" | "FootnoteDefinition":
                    for piece in self._bracket(payload, place):
                        yield piece, place
                case "Paragraph" if self._note and started(payload):
                    yield payload, place
                    yield {"Text": self._note}, place
                    self._note = ""
                case "CodeBlock":
                    yield payload, place
                    yield from self._verbatim(payload, stream)
                case _:
                    for piece in self._inline(payload, place):
                        yield piece, place
        for tag in reversed(self._tags):  # of a text that is still being written
            for piece in self._close(tag):
                yield piece, NOWHERE

    # ------------------------------------------------------------ inline

    def _inline(self, payload: Payload, place: dict[str, int]) -> Iterator[Payload]:
        """Text, formulas and tags; everything else passes as it is."""
        if not isinstance(payload, dict):
            yield payload
        elif "Text" in payload:
            yield from _spoilers(payload["Text"])
        elif "InlineMath" in payload:
            if is_price(self._source, payload, place):
                yield {"Text": f"${payload['InlineMath']}$"}
            else:
                yield {"Code": unicode_formula(payload["InlineMath"])}
        elif "DisplayMath" in payload:
            yield {"Start": {"CodeBlock": {"Fenced": ""}}}  # a formula would be converted again
            yield {"Text": unicode_formula(payload["DisplayMath"])}
            yield {"End": "CodeBlock"}
        elif "InlineHtml" in payload and place.get("start") in self._literal:
            yield {"Text": payload["InlineHtml"]}
        elif "InlineHtml" in payload:
            yield from self._tag(payload["InlineHtml"])
        elif "Html" in payload:
            yield {"Text": payload["Html"]}
        else:
            yield payload

    def _tag(self, text: str) -> Iterator[Payload]:
        """The Markdown element that a tag means; a tag that means nothing to HTML is text."""
        tag = read_tag(text)
        if tag is None:
            yield {"Text": text}
        elif tag.name == "br":
            yield _LINE
        elif tag.closing:
            yield from self._close(tag)
        elif tag.name in SIMPLE_TAGS:
            self._tags.append(tag)
            yield {"Start": SIMPLE_TAGS[tag.name]}
        elif tag.name == "tg-spoiler":
            self._tags.append(tag)
            yield {"InlineHtml": "<tg-spoiler>"}
        elif tag.name == "a" and usable(tag.address):
            self._tags.append(tag)
            yield {"Start": {"Link": {"dest_url": tag.address}}}
        elif tag.name == "img" and tag.label:
            yield {"Text": tag.label}
        elif tag.name == "sup":
            yield {"Text": "^"}

    def _close(self, tag: Tag) -> Iterator[Payload]:
        if not self._tags or self._tags[-1].name != tag.name:
            return
        self._tags.pop()
        if tag.name == "a":
            yield {"End": "Link"}
        elif tag.name == "tg-spoiler":
            yield {"InlineHtml": "</tg-spoiler>"}
        else:
            yield {"End": SIMPLE_TAGS[tag.name]}

    def _verbatim(self, payload: Payload, stream: Iterator[Event]) -> Iterator[Event]:
        """The inside of a code block, untouched."""
        if started(payload):
            for inner, place in stream:
                yield inner, place
                if ended(inner) == "CodeBlock":
                    return

    # ------------------------------------------------------------ links, images, quotes, notes

    def _bracket(self, payload: Payload, place: dict[str, int]) -> list[Payload]:
        """What stands in the place of the start or the end of an element."""
        if isinstance(payload, dict) and (name := started(payload)):
            opening, closing = self._opening(name, payload, place)
            self._closers.append((name, closing))
            return opening
        for at in range(len(self._closers) - 1, -1, -1):
            if self._closers[at][0] == ended(payload):
                return self._closers.pop(at)[1]
        return []

    def _opening(
        self, name: str, payload: dict[str, Any], place: dict[str, int]
    ) -> tuple[list[Payload], list[Payload]]:
        """What begins an element, and what will end it."""
        end: list[Payload] = [{"End": name}]
        match name:
            case "Strikethrough" if place and self._source[place["start"] + 1] != ord("~"):
                return [{"Text": "~"}], [{"Text": "~"}]  # "~5" means "about five"
            case "BlockQuote":
                nested = any(open_name == "BlockQuote" for open_name, _ in self._closers)
                if nested:  # Telegram has no quotes in quotes
                    return [{"Start": "Paragraph"}], [{"End": "Paragraph"}]
                return [payload], [{"End": {"BlockQuote": None}}]
            case "FootnoteDefinition":
                self._note = f"[{payload['Start'][name]}] "
                return [payload], end
            case "Image":
                label, url = "🖼 ", address_of(payload)
                if not usable(url):
                    return [{"Text": label}], []
                return [{"Start": {"Link": {"dest_url": url}}}, {"Text": label}], [{"End": "Link"}]
            case "Link" if not usable(address_of(payload)):
                before, after = self._beside(payload, place)
                return [{"Text": before}], [{"Text": after}]
        return [payload], end

    def _beside(self, link: dict[str, Any], place: dict[str, int]) -> tuple[str, str]:
        """What stands around the words of a link that Telegram refuses: its address behind them."""
        if is_no_address(link):
            return "<", ">"
        found = _ADDRESS.fullmatch(address_of(link))
        written = self._source[place["start"] : place["end"]].decode() if place else ""
        if found is None or not written.startswith("["):
            return "", ""
        address = found[1] or found[2]
        is_said = written.count(address.rpartition("://")[2]) > 1
        return "", "" if is_said else f" ({address})"

    # ------------------------------------------------------------ blocks

    def _html_block(self, stream: Iterator[Event]) -> Iterator[Event]:
        """A block of HTML, read as the Markdown that it means."""
        written: list[str] = []
        for payload, _ in stream:
            if ended(payload) == "HtmlBlock":
                break
            if isinstance(payload, dict):
                written.append(payload.get("Html") or payload.get("Text") or "")
        source = "".join(written)
        if self._inside_html:
            yield {"Start": "Paragraph"}, NOWHERE
            yield {"Text": plain(source).strip()}, NOWHERE
            yield {"End": "Paragraph"}, NOWHERE
            return
        markdown = with_prices(as_markdown(source))
        inner = _Rewriter(markdown, inside_html=True)
        for payload, _ in inner.rewrite(events_of(markdown)):
            yield payload, NOWHERE  # its ranges count in another text

    def _table(
        self, payload: dict[str, Any], stream: Iterator[Event], place: dict[str, int]
    ) -> Iterator[Event]:
        """The table as a block of code, and its links in a line below."""
        rows: list[list[str]] = []
        links: list[Payload] = []
        cell: list[str] = []
        for inner, where in stream:
            name = started(inner)
            if ended(inner) == "Table":
                break
            if name in ("TableHead", "TableRow"):
                rows.append([])
            elif name == "TableCell":
                cell = []
            elif ended(inner) == "TableCell":
                rows[-1].append(" ".join("".join(cell).split()))
            elif name == "Link" and isinstance(inner, dict) and usable(address_of(inner)):
                links += [{"Text": " · " if links else ""}, inner]
                start = len(cell)
                cell += self._cell_link(stream)
                links += [{"Text": "".join(cell[start:])}, {"End": "Link"}]
            elif name == "Link" and isinstance(inner, dict):
                before, after = self._beside(inner, where)
                cell += [before, *self._cell_link(stream), after]
            else:
                cell += self._cell_words(inner, where)
        yield {"Start": {"CodeBlock": {"Fenced": ""}}}, place
        yield {"Text": layout(rows, [str(a) for a in payload["Start"]["Table"]])}, place
        yield {"End": "CodeBlock"}, place
        if links and place.get("end", 0) < self._end:
            yield {"Start": "Paragraph"}, NOWHERE
            for piece in links:
                yield piece, NOWHERE
            yield {"End": "Paragraph"}, NOWHERE

    def _cell_link(self, stream: Iterator[Event]) -> list[str]:
        words: list[str] = []
        for inner, where in stream:
            if ended(inner) == "Link":
                break
            words += self._cell_words(inner, where)
        return words

    def _cell_words(self, payload: Payload, place: dict[str, int]) -> Sequence[str]:
        """The words of one event in a cell, where there is no formatting."""
        if isinstance(payload, str):
            return [" "]  # a line break
        tag = read_tag(payload["InlineHtml"]) if "InlineHtml" in payload else None
        if tag and tag.name in STRUCTURE and place.get("start") not in self._literal:
            return [" • " if tag.name == "li" and not tag.closing else " "]
        words: list[str] = []
        for piece in self._inline(payload, place):
            if piece == _LINE:
                words.append(" ")
            elif isinstance(piece, dict):
                kinds = ("Text", "Code")
                words += [piece[kind] for kind in kinds if kind in piece]
                if "FootnoteReference" in piece:
                    words.append(f"[{piece['FootnoteReference']}]")
        return words


def _spoilers(text: str) -> Iterator[Payload]:
    """`||hidden||` as Telegram's spoiler; `a || b` stays what it is."""
    if "||" not in text:
        yield {"Text": text}
        return
    for number, piece in enumerate(SPOILER.split(text)):
        hidden = number % 2 == 1
        if hidden:
            yield {"InlineHtml": "<tg-spoiler>"}
        if piece:
            yield {"Text": piece}
        if hidden:
            yield {"InlineHtml": "</tg-spoiler>"}
