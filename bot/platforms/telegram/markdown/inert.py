"""Markdown from which Telegram fetches nothing.

A picture in a rich message would be fetched from wherever a model wishes, and tell that server what
stands in the address. How Telegram reads Markdown is known roughly, so what is sent must be no
picture in any reading: an invisible character stands where one would begin.
"""

from __future__ import annotations

import re

from bot.platforms.telegram.markdown.code_at_margin import lifted
from bot.platforms.telegram.markdown.parser import events_of, started
from bot.platforms.telegram.markdown.ringed_letters import with_rings

GAP = "\N{ZERO WIDTH SPACE}"
"""It stays in a text that goes through Telegram, and looks like nothing in code."""

_MEDIA = re.compile(
    r"!(?=\[)|<(?=/?(?:img|video|audio|picture|source|iframe|embed|object|tg-[a-z]+)\b)",
    re.IGNORECASE,
)
_TAG = re.compile(r"!(?=\[)|<(?=[a-z/!?])", re.IGNORECASE)
_DROPPED = re.compile("[\u030a\u0333\u033f\u2028-\u202e]")
_BLANKED = re.compile(r"[\x00-\x08\x0b-\x1f]")
_OPENING = re.compile(r"(`{3,})[^`]*|(~{3,}).*")
_DOUBTFUL = re.compile(r"[ >\t]*<|.*(?:```|~~~|\$\\?\$|\\\[|<!--)")
"""A line after which not all readers agree on what is code: of HTML, a formula, an inner fence."""


def inert(markdown: str) -> str:
    """The text with links in place of pictures, and no other media.

    Code stays as it is only where every reader of Markdown sees code: in a fence at the margin, as
    long as nothing stands before it of which readers could think differently. Code in a list or a
    quote is brought to the margin where that saves its signs.
    """
    cleaned = _cleaned(markdown)
    safe = _without_media(cleaned)
    if safe.count(GAP) == cleaned.count(GAP):
        return safe
    return min(safe, _without_media(lifted(cleaned)), key=lambda text: text.count(GAP))


def _without_media(markdown: str) -> str:
    return _gapped(_linked(markdown), _MEDIA, sparing=True)


def inert_in_html(markdown: str) -> str:
    """The same for a text inside an element of HTML, which it cannot end."""
    return _gapped(_linked(_cleaned(markdown)), _TAG, sparing=False)


def _cleaned(markdown: str) -> str:
    """Without what Telegram takes out of a text: it could stand between the marks of a picture."""
    markdown = markdown.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    markdown = markdown.replace("\r\n", "\n").replace("\r", "\n")
    return _BLANKED.sub(" ", _DROPPED.sub("", with_rings(markdown)))


def _linked(markdown: str) -> str:
    """Pictures as links, as far as the parser sees them."""
    if "![" not in markdown:
        return markdown
    source, pieces, at = markdown.encode(), [], 0
    for payload, place in events_of(markdown):
        if started(payload) == "Image":
            pieces.append(source[at : place["start"]])
            at = place["start"] + 1
    return b"".join([*pieces, source[at:]]).decode()


def _gapped(markdown: str, forbidden: re.Pattern[str], *, sparing: bool) -> str:
    """The text with a gap behind each sign that is forbidden.

    `sparing`: not in code, as long as all readers agree on what is code.
    """
    fence, safe = "", []
    for line in markdown.split("\n"):
        before = fence
        if fence and line.strip().startswith(fence):
            sparing = sparing and _closes(line, fence)
            fence = ""
        elif not fence and sparing:
            opening = _OPENING.fullmatch(line)
            fence = (opening[1] or opening[2]) if opening else ""
            sparing = bool(fence) or _DOUBTFUL.match(line) is None
        is_code = before and fence
        safe.append(line if is_code else forbidden.sub(rf"\g<0>{GAP}", line))
    return "\n".join(safe)


def _closes(line: str, fence: str) -> bool:
    """Whether the line ends the code for every reader."""
    return not line.strip(" ").strip(fence[0]) and not line.startswith("    ")
