"""Code in a list or a quote, brought to the margin, where every reader of Markdown sees code.

Only there may all its signs stay as they are (see `inert`). What comes after it goes on as it was:
code that something indented follows, which would become part of something else, is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.platforms.telegram.markdown.parser import ended, events_of, started

_INSIDE = re.compile(r"[ >\t]+")
"""What stands before a fence that is inside of something, but does not begin it."""
_FOLLOWS = re.compile(r"[ \t]*(?:\n[ >\t]*)*(?:\n(?![ \t\n])|\Z)")
"""Nothing, and then a line at the margin, if any."""


@dataclass(slots=True)
class _Code:
    """A fenced block: from where to where it stands, in bytes, and what is in it."""

    start: int
    end: int
    language: str
    lines: list[str] = field(default_factory=list)

    @property
    def at_margin(self) -> str:
        """The block as it is written at the margin."""
        text = "".join(self.lines).removesuffix("\n")
        fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", text))])
        return f"{fence}{self.language}\n{text}\n{fence}"


def lifted(markdown: str) -> str:
    """The text with fenced code at the margin, where that changes nothing else."""
    source, pieces, at = markdown.encode(), list[str](), 0
    for code in _codes(markdown):
        begin = source.rfind(b"\n", 0, code.start) + 1
        end = code.end - source.endswith(b"\n", code.start, code.end)  # it may never be closed
        before, after = source[begin : code.start].decode(), source[end:].decode()
        is_plain = "`" not in code.language and _INSIDE.fullmatch(before)
        if is_plain and _FOLLOWS.match(after):
            pieces += [source[at:begin].decode(), code.at_margin]
            at = end
    return "\n".join([*pieces, source[at:].decode()]) if pieces else markdown


def _codes(markdown: str) -> Iterator[_Code]:
    """The fenced blocks, in order."""
    code: _Code | None = None
    for payload, place in events_of(markdown):
        if started(payload) == "CodeBlock" and isinstance(payload, dict):
            kind = payload["Start"]["CodeBlock"]
            if isinstance(kind, dict):
                code = _Code(place["start"], place["end"], kind["Fenced"])
        elif code is not None and isinstance(payload, dict) and "Text" in payload:
            code.lines.append(payload["Text"])
        elif code is not None and ended(payload) == "CodeBlock":
            yield code
            code = None
