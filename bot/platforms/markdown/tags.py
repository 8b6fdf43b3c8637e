"""HTML that models mix into Markdown: which tags mean something, and what."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

SIMPLE_TAGS = {
    "b": "Strong",
    "strong": "Strong",
    "i": "Emphasis",
    "em": "Emphasis",
    "cite": "Emphasis",
    "var": "Emphasis",
    "s": "Strikethrough",
    "del": "Strikethrough",
    "strike": "Strikethrough",
}
"""Tags and the Markdown element that is the same."""
# fmt: off
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "li", "main", "nav", "ol", "p", "section", "summary", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "ul",
})
# fmt: on
# fmt: off
_SILENT = frozenset({
    "abbr", "acronym", "bdi", "bdo", "big", "code", "data", "dfn", "font", "ins", "kbd", "mark",
    "q", "rp", "rt", "ruby", "samp", "small", "span", "sub", "time", "tt", "u",
})
_PAGE = frozenset({
    "body", "caption", "head", "html", "label", "meta", "picture", "pre", "script", "source",
    "style", "video",
})
# fmt: on
VOID = frozenset({"br", "hr", "img", "wbr"})
"""Tags that need no other."""
KNOWN = _BLOCKS | _SILENT | _PAGE | SIMPLE_TAGS.keys() | VOID | {"a", "sup", "tg-spoiler"}
STRUCTURE = (_BLOCKS | _PAGE) - VOID
"""Tags that format no words within a line: there, such a tag is a word."""

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)((?:\s[^<>]*)?)/?>")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<![A-Z].*?(?:>|\Z)", re.DOTALL)
_ATTRIBUTE = re.compile(r"""([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>|<")
_CODE_TAG = re.compile(r"</?code\b[^>]*>", re.IGNORECASE)
_EMPTY_START = re.compile(r"(?<!\\)(<[a-z][^<>]*>)\s+", re.IGNORECASE)
_INDENTATION = re.compile(r"^[ \t]+(?=\S)", re.MULTILINE)
_PRE = re.compile(r"<pre\b[^>]*>(.*?)(?:</pre>|\Z)", re.DOTALL | re.IGNORECASE)
_SPOKEN_OF = re.compile(
    r"\s*<(/?[a-z][a-z0-9]*)>(?=[\s:,.;–—-])(?!.*</\1>)[^\n]*\S[^\n]*\n?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: `address` of a link or picture, `label` of a picture."""

    name: str
    closing: bool = False
    address: str = ""
    label: str = ""
    has_attributes: bool = False


def read_tag(text: str) -> Tag | None:
    """A tag that HTML knows, or a comment, which is named `!--`; None: it is neither, but words."""
    if _COMMENT.fullmatch(text):
        return Tag("!--")
    match = _TAG.fullmatch(text.strip())
    if match is None or match[2].lower() not in KNOWN:
        return None
    given = {
        key.lower(): next(filter(None, values), "") for key, *values in _ATTRIBUTE.findall(match[3])
    }
    return Tag(
        match[2].lower(),
        closing=bool(match[1]),
        address=html.unescape(given.get("href") or given.get("src") or ""),
        label=html.unescape(given.get("alt") or ""),
        has_attributes=bool(match[3].strip()),
    )


def is_spoken_of(source: str) -> bool:
    """Whether a block of HTML begins with a tag that is a word, as in "<div> is a block."."""
    return _SPOKEN_OF.fullmatch(source) is not None


def as_markdown(source: str) -> str:
    """A block of HTML as Markdown: all its words, formatted as its tags mean it, without the tags.

    A block that begins with a tag which is a word stays as it is.
    """
    if is_spoken_of(source):
        return "\\" + source.lstrip()
    pieces: list[str] = []
    for number, piece in enumerate(_PRE.split(source)):
        pieces.append(_fenced(piece) if number % 2 else _flowing(piece))
    return "".join(pieces)


def plain(source: str) -> str:
    """HTML without its tags; what is no tag stays."""
    without = _ANY_TAG.sub(lambda tag: tag[0] if read_tag(tag[0]) is None else "", source)
    return html.unescape(without)


def _flowing(source: str) -> str:
    """Text with tags; indentation means nothing in HTML, but would in Markdown."""
    text = _ANY_TAG.sub(_tag_as_markdown, _COMMENT.sub("", source))
    text = _EMPTY_START.sub(r"\1", text)  # a tag alone on its line would begin a block again
    return _INDENTATION.sub("", text)


def _fenced(source: str) -> str:
    code = html.unescape(_CODE_TAG.sub("", source)).strip("\n")
    return f"\n\n```\n{code}\n```\n\n"


def _tag_as_markdown(match: re.Match[str]) -> str:
    """What stands for a tag: inline tags stay, blocks become paragraphs."""
    tag = read_tag(match[0])
    if tag is None:
        return "\\" + match[0]
    if tag.name in SIMPLE_TAGS or tag.name in {"a", "sup", "tg-spoiler"}:
        return match[0]
    match tag.name:
        case "br":
            return "\n"
        case "hr":
            return "\n\n***\n\n"
        case "li" if not tag.closing:
            return "\n- "
        case "img":
            return f"![{tag.label}]({tag.address})" if tag.address else tag.label
        case "td" | "th":
            return " "
        case "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "summary":
            return "</b>\n\n" if tag.closing else "\n\n<b>"
        case "ul" | "ol" | "p" | "div" | "tr" | "blockquote" | "details":
            return "\n\n"
    return ""
