"""Pictures inside answers: data URIs, and Markdown that holds one.

A model that explains how a picture is embedded writes what looks like one as well, so nothing is
taken out of a text that has not proved to be a picture.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from bot.core.chat import ImageDelta, TextDelta

_DATA_URI = re.compile(r"data:(image/[\w.+-]+)?(?:;[\w=.-]+)*;base64,", re.ASCII)
_START = "data:image/"
_LONGEST_ALT = 300
_TYPE = re.compile(r"[\w./+;:=-]{0,200}", re.ASCII)
_NO_BASE64 = re.compile(r"[ \t]+(?=\S)|[^A-Za-z0-9+/=\s]")
_TITLE = re.compile(r"[ \t]+\"")

_SIGNED = frozenset({"image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"})
"""Types of which every picture begins with bytes that `mime_of` knows."""


def picture_of(data: str) -> ImageDelta | None:
    """The picture in a data URI or in bare base64; None when there is none."""
    match = _DATA_URI.match(data)
    text = data[match.end() :] if match else data
    try:
        content = base64.b64decode("".join(text.split()))
    except (binascii.Error, ValueError):
        return None
    mime = mime_of(content) or (match[1] if match else None)
    return ImageDelta(mime, content) if mime and content else None


def mime_of(content: bytes) -> str:
    """The type of a picture by its first bytes; empty when it is none that we know."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return ""


@dataclass(slots=True)
class _Candidate:
    """What may be a picture, in pieces until its end has come: `opening` is `![alt](`."""

    opening: str
    _pieces: list[str] = field(default_factory=list)
    _type: str | None = ""  # as far as it has come; None when base64 follows
    _blank: str = ""  # behind which a title may come
    _is_in_title: bool = False

    @property
    def text(self) -> str:
        """All of it, as the model wrote it."""
        return self.opening + "".join(self._pieces)

    @property
    def has_data(self) -> bool:
        """Its type is whole, and the picture itself has begun."""
        return self._type is None

    def add(self, text: str) -> str:
        """Take more of it; returns from where on it is none."""
        rest = text if self._type is None else self._take_type(self._type, text)
        if self._type is None:
            rest = self._take_data(rest)
        self._pieces.append(text[: len(text) - len(rest)])
        return rest

    def _take_type(self, known: str, text: str) -> str:
        """Returns what stands behind the type, or is none."""
        kind = known + text
        fits = _TYPE.match(kind)
        end = fits.end() if fits else 0
        if end == len(kind):
            self._type = kind
            return ""
        if _DATA_URI.fullmatch(kind[: end + 1]):
            self._type = None
            end += 1
        return text[end - len(known) :]

    def _take_data(self, text: str) -> str:
        """Returns what is no base64, and no title either."""
        if self._is_in_title:
            return ""
        joined = self._blank + text
        odd = _NO_BASE64.search(joined)
        if odd is None:
            self._blank = joined[len(joined.rstrip(" \t")) :]
            return ""
        if odd[0].isspace() and joined[odd.end()] == '"':
            self._is_in_title = True
            return ""
        return text[max(0, odd.start() - len(self._blank)) :]

    def picture(self) -> ImageDelta | None:
        """The picture, now that all of it is there; None when it is none."""
        found = picture_of(_TITLE.split("".join(self._pieces), maxsplit=1)[0])
        is_known = found is not None and found.mime in _SIGNED
        return None if found is None or (is_known and not mime_of(found.data)) else found


class InlinePictures:
    """Takes `![alt](data:…)` out of a text that comes in pieces.

    Only data URIs: a link is left in the text as it is. To fetch what a model writes would let a
    document that somebody shows to the model send data wherever it likes.
    """

    def __init__(self) -> None:
        self._held = ""
        self._candidate: _Candidate | None = None

    def feed(self, text: str) -> list[TextDelta | ImageDelta]:
        """More of the text."""
        if self._candidate is None and not self._held and "!" not in text:
            return [TextDelta(text)]
        found: list[TextDelta | ImageDelta] = []
        while text:
            if self._candidate is None:
                text = self._scan(text, found)
            else:
                text = self._collect(self._candidate, text, found)
        return found

    def end(self) -> list[TextDelta | ImageDelta]:
        """The text is over. Half a picture is left out."""
        held, self._held = self._held, ""
        candidate, self._candidate = self._candidate, None
        if candidate is not None and not candidate.has_data:
            held = candidate.text
        return [TextDelta(held)] if held else []

    def _scan(self, text: str, found: list[TextDelta | ImageDelta]) -> str:
        """Pass on what is certainly text; returns what is left to look at."""
        text, self._held = self._held + text, ""
        at = text.find("!")
        while at >= 0 and (verdict := _looks(text, at)) is False:
            at = text.find("!", at + 1)
        before = text if at < 0 else text[:at]
        if before:
            found.append(TextDelta(before))
        if at < 0:
            return ""
        if verdict is None:
            self._held = text[at:]
            return ""
        target = text.index("](", at) + 2
        self._candidate = _Candidate(text[at:target])
        return text[target:]

    def _collect(
        self, candidate: _Candidate, text: str, found: list[TextDelta | ImageDelta]
    ) -> str:
        """Take more of what may be a picture; returns what is left to look at."""
        data, end, _ = text.partition(")")
        rest = candidate.add(data)
        if not rest and not end:
            return ""
        self._candidate = None
        picture = None if rest else candidate.picture()
        if picture is not None:
            found.append(picture)
            return text[len(data + end) :]
        found.append(TextDelta(candidate.text))
        return text[len(data) - len(rest) :]


def _looks(text: str, at: int) -> bool | None:
    """Whether a picture with a data URI begins at `at`; None while that cannot be told."""
    if text[at + 1 : at + 2] not in ("", "["):
        return False
    close = text.find("](", at)
    alt = text[at + 2 : close] if close >= 0 else text[at + 2 :].removesuffix("]")
    if len(alt) > _LONGEST_ALT or "\n" in alt:
        return False
    if close < 0:
        return None
    target = text[close + 2 : close + 2 + len(_START)]
    if target == _START:
        return True
    return None if _START.startswith(target) else False
