"""The Markdown parser, pyromark: its events, and how to tell them apart.

An event is a word (`"SoftBreak"`) or a dict with one key (`{"Text": "words"}`,
`{"Start": "Strong"}`, `{"End": {"List": True}}`), with the range of bytes it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeAlias, cast

import pyromark

Payload: TypeAlias = "str | dict[str, Any]"
Event: TypeAlias = "tuple[Payload, dict[str, int]]"

OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_MATH
    | pyromark.Options.ENABLE_FOOTNOTES
)
_KNOWN = re.compile(r"(?:\w+://|mailto:|tel:)", re.IGNORECASE)
NOWHERE: dict[str, int] = {}
"""The range of what does not stand in the text."""


def events_of(markdown: str) -> Iterator[Event]:
    """The events of a text."""
    return cast("Iterator[Event]", iter(pyromark.events_with_range(markdown, options=OPTIONS)))


def started(payload: Payload) -> str:
    """The name of the element that an event starts; empty when it starts none."""
    return _name(payload.get("Start")) if isinstance(payload, dict) else ""


def ended(payload: Payload) -> str:
    """The name of the element that an event ends; empty when it ends none."""
    return _name(payload.get("End")) if isinstance(payload, dict) else ""


def address_of(link: dict[str, Any]) -> str:
    """Where a link leads to, or where a picture lies."""
    return next((str(tag["dest_url"]) for tag in link["Start"].values()), "")


def is_no_address(link: dict[str, Any]) -> bool:
    """Whether a link is only a word in angles with a colon, as in `vector<std::string>`."""
    is_in_angles = any(tag["link_type"] == "Autolink" for tag in link["Start"].values())
    return is_in_angles and _KNOWN.match(address_of(link)) is None


def _name(tag: str | dict[str, Any] | None) -> str:
    if tag is None or isinstance(tag, str):
        return tag or ""
    return next(iter(tag))
