"""The parameters of a call, however they came: query, form, multipart or JSON.

As on the real server every parameter ends up as a string; objects and lists are JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.sandbox.telegram.errors import BadRequest


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with the call."""

    name: str
    mime: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Params:
    """What a call was given."""

    values: Mapping[str, str]
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A string; empty when missing."""
        return self.values.get(name, "")

    def integer(self, name: str, default: int = 0) -> int:
        """An integer; the default when missing or malformed, as on the real server."""
        try:
            return int(self.values.get(name, ""))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        """A boolean, in any of the server's spellings."""
        return self.values.get(name, "").strip().lower() in {"true", "yes", "1"}

    def parsed(self, name: str, what: str) -> object:
        """A JSON value; None when missing. Else raises `BadRequest`: "Can't parse `what` …"."""
        value = self.text(name)
        try:
            return json.loads(value) if value else None
        except ValueError as error:
            raise BadRequest(f"Can't parse {what} JSON object") from error

    def lenient(self, name: str) -> object:
        """A JSON value; what is not JSON is ignored, as on the real server."""
        try:
            return self.parsed(name, name)
        except BadRequest:
            return None

    @property
    def chat(self) -> int | None:
        """The chat the call is about, when it names one."""
        try:
            return int(self.values["chat_id"])
        except (KeyError, ValueError):
            return None


def from_json(body: bytes) -> dict[str, str]:
    """The parameters in a JSON body. Raises `BadRequest`."""
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError as error:
        raise BadRequest("can't parse request body as JSON") from error
    if not isinstance(value, dict):
        raise BadRequest("can't parse request body as JSON: expected an Object")
    return {name: _as_text(inner) for name, inner in value.items() if inner is not None}


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
