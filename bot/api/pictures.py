"""Pictures inside answers: data URIs, and Markdown that holds one."""

from __future__ import annotations

import base64
import binascii
import re

from bot.core.chat import ImageDelta, TextDelta

_DATA_URI = re.compile(r"data:(image/[\w.+-]+)?(?:;[\w=.-]+)*;base64,", re.ASCII)
_START = "data:image/"
_LONGEST_ALT = 300


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


class InlinePictures:
    """Takes `![alt](data:…)` out of a text that comes in pieces.

    Only data URIs: a link is left in the text as it is. To fetch what a model writes would let a
    document that somebody shows to the model send data wherever it likes.
    """

    def __init__(self) -> None:
        self._held = ""
        self._pieces: list[str] | None = None  # of a data URI whose end has not come yet

    def feed(self, text: str) -> list[TextDelta | ImageDelta]:
        """More of the text."""
        if self._pieces is None and not self._held and "!" not in text:
            return [TextDelta(text)]
        found: list[TextDelta | ImageDelta] = []
        while text:
            text = (
                self._collect(text, found) if self._pieces is not None else self._scan(text, found)
            )
        return found

    def end(self) -> list[TextDelta | ImageDelta]:
        """The text is over. Half a picture is left out."""
        held, self._held, self._pieces = self._held, "", None
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
        self._pieces = []
        return text[text.index("](", at) + 2 :]

    def _collect(self, text: str, found: list[TextDelta | ImageDelta]) -> str:
        data, end, rest = text.partition(")")
        pieces = self._pieces or []
        pieces.append(data)
        if not end:
            self._pieces = pieces
            return ""
        self._pieces = None
        picture = picture_of("".join(pieces).split(' "')[0])
        if picture is not None:
            found.append(picture)
        return rest


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
