"""What one model wants at one address, fact by fact.

All of it belongs to the server and not to the model: templates, parameters, windows and numbers of
pictures are as somebody has set them up there, and a gateway has protocols and streams of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from bot.api.learning.chat_templates import in_turns, without_system
from bot.api.settings import Protocol

Taught: TypeAlias = dict[str, Any]
"""Facts, by the name of the field of a `Lesson`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What is known of a model at an address; every field is a fact."""

    protocol: Protocol | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    whole: bool = False  # does not stream
    thinks_first: bool = False  # begins amid its reasoning, whose tag stands in the prompt
    no_system: bool = False  # takes instructions only as part of a question
    takes_turns: bool = False  # takes no two messages of one side after each other
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by parameter
    inputs: int | None = None  # texts in one call for embeddings, where it is fewer than usual
    draws_in_chat: bool = False
    base64: bool = False  # has no place where a picture could be fetched
    lacks: frozenset[str] = frozenset()  # endpoints at which it is not served
    window: int | None = None  # tokens, as told when something was too long
    pictures: int | None = None  # in one request, as told when there were too many

    def adapt(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload as this model takes it."""
        adapted = {
            self.renamed.get(name, name): value
            for name, value in payload.items()
            if name not in self.dropped
        }
        if self.whole:
            adapted.pop("stream_options", None)
            adapted["stream"] = False
        if self.base64 and "messages" not in adapted:
            adapted["response_format"] = "b64_json"
        if self.no_system and "messages" in adapted:
            adapted["messages"] = without_system(adapted["messages"])
        if self.takes_turns and "messages" in adapted:
            adapted["messages"] = in_turns(adapted["messages"])
        return adapted


UNTAUGHT = Lesson()
"""Of a model that has refused nothing yet."""
_FLAGS = ("whole", "thinks_first", "no_system", "takes_turns", "draws_in_chat", "base64")
FORM = (
    "protocol",
    "renamed",
    "dropped",
    "whole",
    "no_system",
    "takes_turns",
    "draws_in_chat",
    "base64",
)
"""The facts that give requests another form: a server that is set up anew may refuse that."""


def written(lesson: Lesson, name: str) -> str:
    """A fact as JSON; empty when it has its default value."""
    value = getattr(lesson, name)
    if value == getattr(UNTAUGHT, name):
        return ""
    return json.dumps(value, default=sorted, ensure_ascii=False)


def read(name: str, text: str) -> Taught:
    """The fact that was `written`; none where it is not one, or not any more."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    match name, found:
        case "protocol", "chat" | "completions" | "responses":
            return {name: found}
        case _, True if name in _FLAGS:
            return {name: True}
        case "window" | "pictures" | "inputs", int() if found is not True:
            return {name: found}
        case "dropped" | "lacks", list():
            return {name: frozenset(map(str, found))}
        case "renamed", dict():
            return {name: {old: str(new) for old, new in found.items()}}
        case "words", dict():
            return {name: {kind: tuple(map(str, words)) for kind, words in found.items()}}
    return {}
