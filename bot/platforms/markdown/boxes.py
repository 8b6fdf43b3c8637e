"""The boxes of tasks, `- [x] done`, for where readers of Markdown do not draw them."""

from __future__ import annotations

import re

_BOX = re.compile(
    r"^(?P<sign>[ \t]*(?:>[ \t]*)*(?:[-*+]|\d{1,9}[.)])[ ]+)\[(?P<box>[ xX])\](?=[ ]+\S)",
    re.MULTILINE,
)
_SIGN = re.compile(r"\[[ xX]\]")


def with_boxes(text: str) -> str:
    """A text without fenced code, with signs in place of the boxes. It does not get longer."""
    if _SIGN.search(text) is None:
        return text
    return _BOX.sub(lambda found: found["sign"] + ("☐" if found["box"] == " " else "☑"), text)
