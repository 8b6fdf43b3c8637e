"""Parsed Markdown, rewritten so that Telegram can show all of it.

pyromark's events come in and go out; telegramify-markdown makes text of them. Between the two,
what it would drop or what Telegram would refuse becomes something both know: HTML turns into the
formatting it means, or else stays readable; a table becomes aligned lines; a formula becomes
Unicode; a link with an address that Telegram refuses keeps its text and loses only the link.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

import pyromark
from telegramify_markdown.latex_escape.helper import LatexToUnicodeHelper

from bot.platforms.telegram.elements import NOWHERE, Event, Payload, address_of, ended, started
from bot.platforms.telegram.items import separated
from bot.platforms.telegram.links import usable
from bot.platforms.telegram.tables import layout
from bot.platforms.telegram.tags import SIMPLE_TAGS, Tag, as_markdown, plain, read_tag

OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_MATH
    | pyromark.Options.ENABLE_FOOTNOTES
)
LONG_FORMULA, DEEP_FORMULA = 1000, 100
"""Characters and braces past which a formula stays as it is: the converter descends into each."""
SPOILER = re.compile(r"\|\|(?=[^\s|])(.+?)(?<=[^\s|])\|\|", re.DOTALL)
_TEX = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_LINE: Payload = "HardBreak"


def parse(markdown: str) -> tuple[tuple[Event, ...], str]:
    """The events to render, and the text that their ranges count in."""
    text = _dollars(markdown)
    return tuple(separated(_Rewriter(text).rewrite(_events(text)))), text


def _events(text: str) -> Iterator[Event]:
    return cast("Iterator[Event]", iter(pyromark.events_with_range(text, options=OPTIONS)))


def _dollars(markdown: str) -> str:
    r"""Formulas in `\(…\)` and `\[…\]`, which Markdown does not know, as `$…$` and `$$…$$`."""
    if not ("\\(" in markdown or "\\[" in markdown):
        return markdown
    source, pieces, at = markdown.encode(), [], 0
    for payload, place in _events(markdown):
        if isinstance(payload, dict) and ("Code" in payload or started(payload) == "CodeBlock"):
            if place["start"] < at:
                continue
            pieces.append(_TEX.sub(_dollar, source[at : place["start"]].decode()))
            pieces.append(source[place["start"] : place["end"]].decode())
            at = place["end"]
    return "".join(pieces) + _TEX.sub(_dollar, source[at:].decode())


def _dollar(match: re.Match[str]) -> str:
    inline, block = match.groups()
    if "\n\n" in match[0]:
        return match[0]
    return f"${inline.strip()}$" if inline is not None else f"$${block.strip()}$$"


def unicode_formula(tex: str) -> str:
    """A formula in Unicode as far as it goes; what it cannot say stays LaTeX."""
    if len(tex) > LONG_FORMULA or tex.count("{") > DEEP_FORMULA:
        return tex.strip()
    shown = str(LatexToUnicodeHelper().convert(tex))  # type: ignore[no-untyped-call]  # untyped there
    return shown.strip() or tex.strip()


class _Rewriter:
    """Rewrites the events of one text, in one pass."""

    def __init__(self, source: str, *, inside_html: bool = False) -> None:
        self._source = source.encode()
        self._inside_html = inside_html
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

    # ------------------------------------------------------------ inline

    def _inline(self, payload: Payload, place: dict[str, int]) -> Iterator[Payload]:
        """Text, formulas and tags; everything else passes as it is."""
        if not isinstance(payload, dict):
            yield payload
        elif "Text" in payload:
            yield from _spoilers(payload["Text"])
        elif "InlineMath" in payload:
            if self._is_price(place):
                yield {"Text": f"${payload['InlineMath']}$"}
            else:
                yield {"Code": unicode_formula(payload["InlineMath"])}
        elif "DisplayMath" in payload:
            yield {"DisplayMath": unicode_formula(payload["DisplayMath"])}
        elif "InlineHtml" in payload:
            yield from self._tag(payload["InlineHtml"])
        elif "Html" in payload:
            yield {"Text": payload["Html"]}
        else:
            yield payload

    def _is_price(self, place: dict[str, int]) -> bool:
        """`$10 to $20` is no formula: its closing dollar stands before a digit (pandoc's rule)."""
        end = place.get("end", len(self._source))
        return self._source[end : end + 1].isdigit()

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
            case "Link":
                return ([payload], end) if usable(address_of(payload)) else ([], [])
        return [payload], end

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
        markdown = as_markdown(source)
        inner = _Rewriter(markdown, inside_html=True)
        for payload, _ in inner.rewrite(_events(markdown)):
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
            else:
                cell += self._cell_words(inner, where)
        yield {"Start": {"CodeBlock": {"Fenced": ""}}}, place
        yield {"Text": layout(rows, [str(a) for a in payload["Start"]["Table"]])}, place
        yield {"End": "CodeBlock"}, place
        if links:
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
        words: list[str] = []
        for piece in self._inline(payload, place):
            if piece == _LINE:
                words.append(" ")
            elif isinstance(piece, dict):
                kinds = ("Text", "Code", "DisplayMath")
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
