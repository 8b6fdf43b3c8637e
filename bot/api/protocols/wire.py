"""What the three wire protocols of a conversation have in common.

A protocol is a path, a payload and a reader. The reader turns what the server sends into the
events of `bot.core.chat`, and alone decides whether an answer is complete.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.api.failures.errors import CallFailed, from_payload
from bot.api.protocols.sse import DONE
from bot.api.protocols.usage import read_usage
from bot.core.chat import Finished, FinishReason, ModelEvent, Usage
from bot.errors import ModelErrorKind

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PictureLink:
    """A picture of the answer that stands at a URL and has to be fetched."""

    url: str


WireEvent: TypeAlias = ModelEvent | PictureLink


class Ending:
    """How an answer ended, as far as is known."""

    def __init__(self) -> None:
        self.reason: FinishReason | None = None
        self.usage: Usage | None = None
        self.tools_called = False

    def take_reason(self, word: object) -> None:
        """Take a finish reason as gateways write it. Raises `CallFailed` when it is a failure."""
        if isinstance(word, dict):  # SGLang, in some versions
            word = word.get("type")
        if not isinstance(word, str) or word.lower() in _NOT_YET:
            return
        reason = word.lower().partition(":")[0]  # Google adds why: "content_filter: OTHER"
        if broke_off(reason):
            raise CallFailed(ModelErrorKind.SERVER, f"the model stopped: {word}")
        self.reason = _REASONS.get(reason, FinishReason.STOP)

    def take_usage(self, usage: object) -> None:
        """Take a usage report; the last one that counts anything holds (some are cumulative)."""
        self.usage = read_usage(usage) or self.usage

    def events(self) -> list[WireEvent]:
        """Usage and `Finished`, where they are known."""
        found: list[WireEvent] = [self.usage] if self.usage else []
        if self.reason is not None:
            called = self.tools_called and self.reason is FinishReason.STOP
            found.append(Finished(FinishReason.TOOL_CALLS if called else self.reason))
        return found


class Reader(ABC):
    """Reads one answer. `done`: the server said that nothing more will come."""

    def __init__(self) -> None:
        self.done = False
        self._ending = Ending()

    @property
    def complete(self) -> bool:
        """The model has ended its answer; only the usage may still come."""
        return self._ending.reason is not None

    def read(self, name: str, data: str) -> list[WireEvent]:
        """Read one server-sent event. Raises `CallFailed`."""
        if data.strip() == DONE:
            self.done = True
            return []
        return self._event(name, parse_event(data))

    @abstractmethod
    def _event(self, name: str, event: Json) -> list[WireEvent]: ...

    @abstractmethod
    def read_whole(self, body: Json) -> list[WireEvent]:
        """Read an answer that came in one piece. Raises `CallFailed`."""

    def _whole(self, events: list[WireEvent]) -> list[WireEvent]:
        """All that a body says: one that is whole JSON was not cut."""
        self.done = True
        if not self.complete:
            self._ending.take_reason("stop")
        return events

    def end(self) -> list[WireEvent]:
        """Nothing more came: what was held back, the usage, and `Finished` if it is complete."""
        return self._ending.events()


_REASONS = {
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "max_output_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "tool_use": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
    "safety": FinishReason.CONTENT_FILTER,
    "recitation": FinishReason.CONTENT_FILTER,
    "prohibited_content": FinishReason.CONTENT_FILTER,
    "image_safety": FinishReason.CONTENT_FILTER,
    "image_prohibited_content": FinishReason.CONTENT_FILTER,
    "spii": FinishReason.CONTENT_FILTER,
    "blocklist": FinishReason.CONTENT_FILTER,
    "sensitive": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.CONTENT_FILTER,
}
"""The words of OpenAI, and those of other vendors that gateways pass on; others mean `stop`."""
_NOT_YET = frozenset({"", "null", "none"})
"""Words that some send in place of null, until the answer ends (DashScope's own protocol)."""
_BROKEN = frozenset({"error", "abort", "network_error", "insufficient_system_resource"})
"""The words for an answer that broke off: vLLM and SGLang, which are restarted, and vendors."""


def broke_off(reason: object) -> bool:
    """Whether a finish reason means that the answer broke off."""
    return isinstance(reason, str) and reason.lower() in _BROKEN


def parse_event(data: str) -> Json:
    """The JSON object of an event. Raises `CallFailed`: part of the answer would be missing.

    The error of a server in mid-stream is raised too, as what it says. A line that was broken in
    two by its server is joined again. An empty one is a sign of life, and an empty object here.
    """
    try:
        found: object = json.loads(data)
    except (ValueError, RecursionError):
        try:
            found = json.loads(data.replace("\n", ""))
        except (ValueError, RecursionError):
            raise CallFailed(ModelErrorKind.BAD_ANSWER, "an event is not JSON") from None
    if found in (None, ""):
        return {}
    if isinstance(found, list) and len(found) == 1:  # Google's errors are such lists
        found = found[0]
    if not isinstance(found, dict):
        raise CallFailed(ModelErrorKind.BAD_ANSWER, "an event is not a JSON object")
    return found


def objects_in(found: object) -> list[Json]:
    """The objects in a list; none where it is no list."""
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def raise_error(payload: Json) -> None:
    """Raise the `CallFailed` that stands in a body or an event, if one does."""
    failure = from_payload(payload)
    if failure is not None:
        raise failure
