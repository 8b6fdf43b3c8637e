"""Markdown as `rich` draws it, with what it would leave out: words in angles, and ends of lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from markdown_it import MarkdownIt
from markdown_it.token import Token
from rich.markdown import Markdown

from bot.platforms.markdown.literal_tags import LiteralTags
from bot.platforms.markdown.tags import STRUCTURE, as_markdown, plain, read_tag

_PARSER = MarkdownIt().enable(["strikethrough", "table"])


class Document(Markdown):
    """A Markdown text for a terminal.

    Lines stay lines, as in every chat. A tag of HTML that formats nothing here is words, and an
    address that says where it leads is not said twice. Of a `partial` text the end is not there.
    """

    def __init__(self, text: str, *, partial: bool) -> None:
        super().__init__("", code_theme="ansi_dark", hyperlinks=False)
        self.parsed = list(_shown(_PARSER.parse(text), partial=partial))


def _shown(tokens: Iterable[Token], *, partial: bool, inside_html: bool = False) -> Iterator[Token]:
    in_cell = False
    for token in tokens:
        if token.type == "html_block":
            yield from _html_block(token.content, partial=partial, inside_html=inside_html)
            continue
        if token.children:
            token.children = list(_inline(token.children, in_cell=in_cell, partial=partial))
        in_cell = token.type in ("td_open", "th_open")
        yield token


def _html_block(source: str, *, partial: bool, inside_html: bool) -> Iterator[Token]:
    """A block of HTML, read as the Markdown that it means."""
    if not inside_html:
        tokens = _PARSER.parse(as_markdown(source))
        yield from _shown(tokens, partial=partial, inside_html=True)
        return
    yield Token("paragraph_open", "p", 1)
    yield Token("text", "", 0, content=plain(source).strip())
    yield Token("paragraph_close", "p", -1)


def _inline(tokens: list[Token], *, in_cell: bool, partial: bool) -> Iterator[Token]:
    literal = _literal(tokens, in_cell=in_cell, partial=partial)
    for number, token in enumerate(tokens):
        if token.type == "softbreak":
            yield replace(token, type="hardbreak")
        elif token.type == "html_inline":
            yield replace(token, type="text") if number in literal else _tag(token)
        elif token.type == "image":  # it would be drawn above the paragraph or list it stands in
            label = f"🖼 {token.content} ({token.attrs['src']})"
            yield replace(token, type="text", content=label, children=None)
        elif not _is_said(tokens, number):
            yield token


def _literal(tokens: list[Token], *, in_cell: bool, partial: bool) -> frozenset[int]:
    """Which of the tags are words."""
    tags = LiteralTags()
    tags.end_line(in_cell=in_cell)
    for number, token in enumerate(tokens):
        if token.type == "html_inline":
            tags.read(read_tag(token.content), number)
        else:
            tags.pass_by()
    tags.end_line(in_cell=False)
    return tags.found(partial=partial)


def _tag(token: Token) -> Token:
    """What stands for a tag of HTML; lists and paragraphs can only be in a cell of a table."""
    tag = read_tag(token.content)
    if tag is None:
        return replace(token, type="text")
    if tag.name == "br":
        return replace(token, type="hardbreak")
    if tag.name == "sup" and not tag.closing:
        return replace(token, type="text", content="^")
    if tag.name in STRUCTURE:
        sign = "• " if tag.name == "li" and not tag.closing else " "
        return replace(token, type="text", content=sign)
    return token


def _is_said(tokens: list[Token], number: int) -> bool:
    """Whether this is the begin or the end of a link whose words are its address."""
    for at in (number, number - 2):
        if at >= 0 and tokens[at].type == "link_open" and at + 2 < len(tokens):
            address = str(tokens[at].attrs["href"]).removeprefix("mailto:")
            is_alone = tokens[at + 2].type == "link_close"
            if is_alone and tokens[at + 1].content == address and number in (at, at + 2):
                return True
    return False
