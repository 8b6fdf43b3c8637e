"""Events and messages as the JSON text that the tables keep.

Reading is tolerant: a field that is missing takes its default, one that is unknown is left out,
so rows written by an earlier or a later version stay readable.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from bot.core.chat import ImagePart, Part, TextPart, ToolCall, Usage
from bot.core.settings import ChatSettings
from bot.core.types import (
    ButtonPress,
    Event,
    IncomingMessage,
    MessageRef,
    StopPressed,
    Unreadable,
)

T = TypeVar("T")

UNREADABLE = "unreadable"
"""The kind of an event that nobody can read."""


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

_events: dict[str, TypeAdapter[Any]] = {
    "message": TypeAdapter(IncomingMessage),
    "press": TypeAdapter(ButtonPress),
    "stop": TypeAdapter(StopPressed),
    UNREADABLE: TypeAdapter(Unreadable),
}
_kinds: dict[type, str] = {
    IncomingMessage: "message",
    ButtonPress: "press",
    StopPressed: "stop",
    Unreadable: UNREADABLE,
}
_parts = TypeAdapter(tuple[_StoredPart, ...])
_tool_calls = TypeAdapter(tuple[ToolCall, ...])
_usage = TypeAdapter(Usage)
_shown = TypeAdapter(tuple[MessageRef, ...])
_settings = TypeAdapter(ChatSettings)


def _dump(adapter: TypeAdapter[T], value: T, *, exclude_none: bool = False) -> str:
    # Not `dump_json`: it refuses half a surrogate pair, which some clients do send.
    plain = adapter.dump_python(value, mode="json", exclude_none=exclude_none)
    return json.dumps(plain, ensure_ascii=False)


def _load(adapter: TypeAdapter[T], text: str) -> T:
    try:
        return adapter.validate_python(json.loads(text))
    except (ValidationError, ValueError) as error:
        raise UndecodableError(f"stored JSON is not readable ({type(error).__name__})") from error


def kind_of(event: Event | Unreadable) -> str:
    """The word that says what kind of event it is."""
    return _kinds[type(event)]


def dump_event(event: Event | Unreadable) -> str:
    """An event as JSON; `kind_of` is kept beside it."""
    return _dump(_events[kind_of(event)], event)


def load_event(kind: str, text: str) -> Event:
    """The event that `dump_event` wrote. Raises `UndecodableError`."""
    if kind not in _events or kind == UNREADABLE:
        raise UndecodableError(f"an event of the kind {kind!r}")
    event: Event = _load(_events[kind], text)
    return event


def dump_shown(shown: tuple[MessageRef, ...]) -> str:
    """References to messages as JSON."""
    return _dump(_shown, shown)


def load_shown(text: str) -> tuple[MessageRef, ...]:
    """The references that `dump_shown` wrote. Raises `UndecodableError`."""
    return _load(_shown, text)


def dump_settings(settings: ChatSettings) -> str:
    """A chat's settings as JSON."""
    return _dump(_settings, settings)


def load_settings(text: str) -> ChatSettings:
    """The settings that `dump_settings` wrote. Raises `UndecodableError`."""
    return _load(_settings, text)


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
    return _dump(_parts, tuple(stored), exclude_none=True), pictures


def may_show(text: str) -> bool:
    """Whether there may be pictures in the parts that `dump_parts` wrote; quick."""
    return '"sha256"' in text  # in somebody's words its quotes would be escaped


def load_parts(text: str, pictures: Mapping[str, bytes]) -> tuple[Part, ...]:
    """The parts that `dump_parts` wrote. Raises `UndecodableError`, also for a missing picture."""
    parts: list[Part] = []
    for part in _load(_parts, text):
        if isinstance(part, _StoredText):
            parts.append(TextPart(part.text, part.typed, part.lines or ()))
        elif part.sha256 in pictures:
            parts.append(ImagePart(part.mime, pictures[part.sha256]))
        else:
            raise UndecodableError("a picture is missing")
    return tuple(parts)


def dump_tool_calls(calls: tuple[ToolCall, ...]) -> str | None:
    """Tool calls as JSON; None for none."""
    return _dump(_tool_calls, calls) if calls else None


def load_tool_calls(text: str | None) -> tuple[ToolCall, ...]:
    """The tool calls that `dump_tool_calls` wrote. Raises `UndecodableError`."""
    return _load(_tool_calls, text) if text else ()


def dump_usage(usage: Usage | None) -> str | None:
    """Token usage as JSON; None for none."""
    return None if usage is None else _dump(_usage, usage)


def load_usage(text: str | None) -> Usage | None:
    """The usage that `dump_usage` wrote. Raises `UndecodableError`."""
    return None if text is None else _load(_usage, text)
