"""Events and messages as the JSON text that the tables keep.

Reading is tolerant: a field that is missing takes its default, one that is unknown is left out,
so rows written by an earlier or a later version stay readable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from bot.core.chat import ImagePart, Part, TextPart, ToolCall, Usage
from bot.core.queue import Search
from bot.core.settings import ChatSettings
from bot.core.types import ButtonPress, Event, IncomingMessage, MessageRef, StopPressed, Unreadable

T = TypeVar("T")

UNREADABLE = "unreadable"
"""The kind of an event that nobody can read."""
DECLINED = "declined"
"""The kind of a message that was one too many."""
WITHDRAWN = "withdrawn"
"""The kind of one that was not taken in before its message was deleted."""


class UndecodableError(Exception):
    """A stored text that is not, or no longer, what it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredText:
    text: str
    typed: tuple[int, int] | None = None
    lines: tuple[tuple[int, int], ...] | None = None
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoredImage:
    mime: str
    sha256: str
    type: Literal["image"] = "image"


_StoredPart: TypeAlias = Annotated[_StoredText | _StoredImage, Field(discriminator="type")]

_KINDS: dict[type, str] = {
    IncomingMessage: "message",
    ButtonPress: "press",
    StopPressed: "stop",
    Unreadable: UNREADABLE,
}


class Json(Generic[T]):
    """How values of one kind are kept."""

    def __init__(self, adapter: TypeAdapter[T], *, without_none: bool = False) -> None:
        self._adapter = adapter
        self._without_none = without_none

    def dump(self, value: T) -> str:
        """A value as text."""
        # Not `dump_json`: it refuses half a surrogate pair, which some clients do send.
        plain = self._adapter.dump_python(value, mode="json", exclude_none=self._without_none)
        return json.dumps(plain, ensure_ascii=False)

    def load(self, text: str) -> T:
        """The value that `dump` wrote. Raises `UndecodableError`."""
        try:
            return self._adapter.validate_python(json.loads(text))
        except (ValidationError, ValueError) as error:
            name = type(error).__name__
            raise UndecodableError(f"stored JSON is not readable ({name})") from error


SHOWN = Json(TypeAdapter(tuple[MessageRef, ...]))
SEARCH = Json(TypeAdapter(Search))
SETTINGS = Json(TypeAdapter(ChatSettings))
TOOL_CALLS = Json(TypeAdapter(tuple[ToolCall, ...]))
USAGE = Json(TypeAdapter(Usage))
_PARTS: Json[tuple[_StoredPart, ...]] = Json(
    TypeAdapter(tuple[_StoredPart, ...]), without_none=True
)
_EVENTS: dict[str, Json[Any]] = {kind: Json(TypeAdapter(one)) for one, kind in _KINDS.items()}
_EVENTS[DECLINED] = _EVENTS[_KINDS[IncomingMessage]]


def kind_of(event: Event | Unreadable) -> str:
    """The word that says what kind of event it is."""
    if isinstance(event, IncomingMessage) and event.declined:
        return DECLINED
    return _KINDS[type(event)]


def dump_event(event: Event | Unreadable) -> str:
    """An event as JSON; `kind_of` is kept beside it."""
    return _EVENTS[kind_of(event)].dump(event)


def load_event(kind: str, text: str) -> Event:
    """The event that `dump_event` wrote. Raises `UndecodableError`."""
    if kind not in _EVENTS or kind == UNREADABLE:
        raise UndecodableError(f"an event of the kind {kind!r}")
    event: Event = _EVENTS[kind].load(text)
    return event


def dump_parts(parts: tuple[Part, ...]) -> tuple[str, dict[str, bytes]]:
    """A message's parts as JSON, and the pictures in them by the SHA-256 of their bytes."""
    stored: list[_StoredPart] = []
    pictures: dict[str, bytes] = {}
    for part in parts:
        if isinstance(part, TextPart):
            stored.append(_StoredText(text=part.text, typed=part.typed, lines=part.lines or None))
        else:
            digest = sha256(part.data).hexdigest()
            pictures[digest] = part.data
            stored.append(_StoredImage(mime=part.mime, sha256=digest))
    return _PARTS.dump(tuple(stored)), pictures


def may_show(text: str) -> bool:
    """Whether there may be pictures in the parts that `dump_parts` wrote; quick."""
    return '"sha256"' in text  # in somebody's words its quotes would be escaped


def load_words(text: str) -> tuple[Part, ...]:
    """The parts that `dump_parts` wrote, without the pictures. Raises `UndecodableError`."""
    found = (part for part in _PARTS.load(text) if isinstance(part, _StoredText))
    return tuple(TextPart(part.text, part.typed, part.lines or ()) for part in found)


def load_parts(text: str, pictures: Mapping[str, bytes]) -> tuple[Part, ...]:
    """The parts that `dump_parts` wrote. Raises `UndecodableError`, also for a missing picture."""
    parts: list[Part] = []
    for part in _PARTS.load(text):
        if isinstance(part, _StoredText):
            parts.append(TextPart(part.text, part.typed, part.lines or ()))
        elif part.sha256 in pictures:
            parts.append(ImagePart(part.mime, pictures[part.sha256]))
        else:
            raise UndecodableError("a picture is missing")
    return tuple(parts)
