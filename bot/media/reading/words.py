"""Text, source code, CSV and HTML."""

from __future__ import annotations

import codecs
import re
from html.parser import HTMLParser
from pathlib import Path

import charset_normalizer

from bot.errors import MediaError, MediaErrorKind
from bot.media.reading.contents import Contents

LINES = 25
"""Lines to a section."""
SAMPLE = 65_536
"""Bytes from which the encoding is guessed."""
FEW_BROKEN = 0.05
"""The part of the bytes beyond ASCII up to which UTF-8 may be broken: a log has such lines."""
COMMON = 0.8
"""The part of the letters of a Chinese text that are common at least: names have rare ones."""
LAST_OF_KOREAN = 0xC8
"""First bytes of Hangul in EUC-KR go up to it; of common Chinese letters every second is beyond."""
_HANGUL = frozenset(
    "이다는에의을가하고지기사로리시나인한도스어자아정부대일서해수그라만보과제장전주은를"
    "요니세습거게것오안할때우방문유선"
)
"""What every second letter of Korean is."""
FEW_HANGUL = 0.15
"""The part of the letters of a text up to which these stand in it by chance."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Left alone, the guesser prefers code pages of the eighties for short texts.
_LIKELY = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "koi8_r"),
    *("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"),
]
_BLOCKS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "br", "dd", "details", "div", "dl", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
        *("header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table"),
        *("tr", "ul"),
    )
)
_PARAGRAPHS = frozenset(("div", "p"))
_SOFT = "\v"
"""The break at a paragraph: beside the edge of a cell, or of an item, it is none."""
_AFTER_EDGE = re.compile(r"(?<=\n- )[ ]?\v[ \v]*|(?<=\| )[ ]?\v[ \v]*")
_BEFORE_EDGE = re.compile(r"(?<![ \v])[ \v]++(?=\| )")
_ROW = re.compile(r"[ ]{1,2}\|")
_SILENT = frozenset(("script", "style", "template", "noscript", "svg", "iframe", "object"))
_HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}


def decoded(data: bytes) -> str:
    """The text in these bytes. Raises `MediaError` when there is none."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data.decode(name, "replace")
    if b"\0" in data[:SAMPLE]:
        raise MediaError(MediaErrorKind.NOT_DOCUMENT, "binary")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data"  # in the middle of a letter
    encoding = "utf-8" if cut or _is_nearly_utf8(data) else _guessed(data[:SAMPLE])
    return data.decode(encoding, "replace")


def _is_nearly_utf8(data: bytes) -> bool:
    """Whether few bytes are broken; letters of other encodings are hardly ever right in UTF-8."""
    broken = len(data) - len(data.decode(errors="ignore").encode())
    beyond_ascii = len(data.translate(None, bytes(range(128))))
    return broken <= FEW_BROKEN * beyond_ascii


def _guessed(sample: bytes) -> str:
    """The likely encoding; of equals the Western one, which most files have."""
    if _is_chinese(sample):
        return "gb18030"
    found = charset_normalizer.from_bytes(sample, cp_isolation=_LIKELY)
    best = found.best()
    if best is None:
        raise MediaError(MediaErrorKind.NOT_DOCUMENT, "no known encoding")
    western = (one for one in found if one.encoding == "cp1252" and one.chaos <= best.chaos)
    return next(western, best).encoding


def _is_chinese(sample: bytes) -> bool:
    """Whether the bytes are GBK, which the guesser does not see in names and other short texts.

    Nearly all that Chinese write is among the 3,755 letters of the first level of GB 2312. Bytes of
    other encodings come to rarer ones, or to none; but those of Korean come to its first half.
    """
    try:
        text = codecs.getincrementaldecoder("gb18030")().decode(sample)  # the end may be cut off
    except UnicodeDecodeError:
        return False
    written = (each.encode("gb18030") for each in text if not each.isascii())
    letters = [each for each in written if not 0xA1 <= each[0] <= 0xA3]  # no punctuation
    common = [each[0] for each in letters if _is_common(each)]
    is_common = len(common) > COMMON * len(letters)
    return is_common and (max(common) > LAST_OF_KOREAN or not _is_korean(sample, len(common)))


def _is_korean(sample: bytes, letters: int) -> bool:
    usual = sum(each in _HANGUL for each in sample.decode("euc_kr", "ignore"))
    return usual > FEW_HANGUL * letters


def _is_common(letter: bytes) -> bool:
    return len(letter) == 2 and 0xB0 <= letter[0] <= 0xD7 and letter[1] >= 0xA1


def read_text(path: Path, found: Contents) -> None:
    """Lines as they are, in sections that name them."""
    data = path.read_bytes()
    _lines(decoded(data), found)


def _lines(text: str, found: Contents) -> None:
    for mark, lines in found.parts("line", text.splitlines(), LINES):
        found.add(mark, "\n".join(lines))


def read_html(path: Path, found: Contents) -> None:
    """What a reader of the page would see."""
    page = _Page()
    page.feed(decoded(path.read_bytes()))
    page.close()
    _lines(page.text(), found)


class _Page(HTMLParser):
    """Collects the visible words of a page, block by block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._silent = 0
        self._verbatim = 0
        self._address = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        self._verbatim += tag == "pre"
        self._break_at(tag)
        self._pieces.append(_HEADINGS.get(tag, "- " if tag == "li" else ""))
        if tag in ("td", "th"):
            self._pieces.append(" | ")
        if tag == "a":
            address = dict(attrs).get("href") or ""
            self._address = address if address.startswith(("http://", "https://")) else ""
        if tag == "img" and (label := dict(attrs).get("alt")):
            self._pieces.append(f"[picture: {label}]")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        if tag == "pre":
            self._verbatim = max(0, self._verbatim - 1)
        if tag == "a" and self._address:
            self._pieces.append(f" ({self._address})")
            self._address = ""
        self._break_at(tag)
        if tag == "title":
            self._pieces.append("\n")

    def _break_at(self, tag: str) -> None:
        if tag in _BLOCKS:
            self._pieces.append(_SOFT if tag in _PARAGRAPHS else "\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._pieces.append(data if self._verbatim else _spaced(data))

    def text(self) -> str:
        """The words, without the blank lines that blocks leave."""
        text = _AFTER_EDGE.sub("", "".join(self._pieces))
        text = _BEFORE_EDGE.sub(lambda gap: " " if _SOFT in gap[0] else gap[0], text)
        lines = [line.rstrip() for line in text.splitlines()]
        lines = [line.strip(" ").removeprefix("| ") if _ROW.match(line) else line for line in lines]
        return "\n".join(line for line in lines if line.strip(" -#|"))


def _spaced(data: str) -> str:
    words = " ".join(data.split())
    if not words:
        return " " if data else ""
    before = " " if data[0].isspace() else ""
    return before + words + (" " if data[-1].isspace() else "")
