"""The boxes of tasks, `- [x] done`, for where readers of Markdown do not draw them."""

from __future__ import annotations

import re

_BOX = re.compile(
    r"^(?P<sign>[ \t]*(?:>[ \t]*)*(?:[-*+]|\d{1,9}[.)])[ ]+)\[(?P<box>[ xX])\](?=[ ]+\S)",
    re.MULTILINE,
)


def with_boxes(text: str) -> str:
    """A text without fenced code, with signs in place of the boxes. It does not get longer."""
    if not ("[ ]" in text or "[x]" in text or "[X]" in text):
        return text
    return _BOX.sub(lambda found: found["sign"] + ("☐" if found["box"] == " " else "☑"), text)
