"""Reads the bodies of errors: gateways agree on little, and wrap those of others into their own.

The words of an error stand under five names, may be a list of what is wrong with each field
(FastAPI, Mistral), and may hold the JSON of whoever failed behind the gateway, which says more
than "Provider returned error" (OpenRouter, in `metadata.raw`; new-api writes that behind the words,
`WithOpenAIError` in types/error.go). Google sends a list of one error, Cloudflare has one in
`errors`, and MiniMax tells under status 200, in `base_resp`, what went wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_NAMES = {
    "message": ("message", "msg", "err", "error_msg", "detail", "status_msg"),
    "code": ("code", "status_code"),
    "param": ("param",),
    "type": ("type",),
    "request_id": ("request_id", "requestId"),
    "limit": ("n_ctx",),
    "asked": ("n_prompt_tokens",),
}
"""Under which names gateways write the parts of an error."""
DEEPEST = 6
"""So many errors within errors are looked at."""
_REQUEST_ID = re.compile(r"\s*\(?(?:request[ _-]?id|traceid)[: ]+([\w-]+)\)?\s*$", re.IGNORECASE)
_BEHIND = re.compile(r"[^{]{0,200} \((\{.*\})\)(?: \(request id: [\w-]+\))?\s*", re.DOTALL)
"""Words, and in brackets behind them the metadata of another error."""
REQUEST_ID_ROOM = 200
"""Characters at the end of a message in which a request id is looked for."""


def json_of(body: bytes | bytearray | str) -> object:
    """The JSON of a body; None when it is none."""
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def nothing_known() -> dict[str, str]:
    """An error of which nothing is known."""
    return dict.fromkeys(_NAMES, "")


def read_error(payload: object) -> dict[str, str]:
    """Message, code, param, type and request id, under whichever names they stand.

    Of what is too long also `limit` and `asked`, where they stand beside the words (llama.cpp).
    """
    found = nothing_known()
    for layer in _layers(payload):
        for name, keys in _NAMES.items():
            for key in keys:
                value = layer.get(key)
                if not found[name] and isinstance(value, str | int) and value not in ("", 0):
                    found[name] = str(value)
    message = found["message"]
    if match := _REQUEST_ID.search(message, max(0, len(message) - REQUEST_ID_ROOM)):
        found["request_id"] = match[1]
        found["message"] = message[: match.start()]
    return found


def is_an_error(payload: Mapping[str, Any]) -> bool:
    """Whether a body under status 200 is an error by its shape."""
    error = payload.get("error")
    if isinstance(error, dict):
        return any(error.values())  # some send all of its fields empty when all is well
    if error or "error" in (payload.get("type"), payload.get("object")):
        return True
    base = payload.get("base_resp")
    if isinstance(base, dict) and base.get("status_code"):
        return True
    answers = ("choices", "data", "text", "output", "response", "type", "object", "usage")
    words = (payload.get(name) for name in _NAMES["message"])
    return not any(payload.get(name) for name in answers) and any(
        isinstance(word, str) for word in words
    )


def _layers(found: object, depth: int = 0) -> list[Mapping[str, Any]]:
    """The errors within an error, the innermost first: it tells most."""
    if isinstance(found, str):
        inner = json_of(found) if found.lstrip()[:1] in ("{", "[") else None
        found = inner if isinstance(inner, dict | list) else {"message": found}
    if isinstance(found, list):
        found = next((each for each in found if isinstance(each, dict)), None)
    if not isinstance(found, dict) or depth > DEEPEST:
        return []
    if isinstance(found.get("loc"), list | tuple):
        return [_wrong_field(found)]
    metadata = found.get("metadata")
    within = [metadata.get("raw") if isinstance(metadata, dict) else None, found.get("error")]
    within += [found.get("base_resp"), found.get("errors")]
    within += [_behind(found.get("message"))]
    within += [word for name in _NAMES["message"] if _is_nested(word := found.get(name))]
    layers: list[Mapping[str, Any]] = []
    for each in within:
        layers += _layers(each, depth + 1) if each else []
    return [*layers, found]


def _behind(message: object) -> object:
    """The error that stands behind the words of another; None when none does."""
    match = _BEHIND.fullmatch(message) if isinstance(message, str) else None
    found = json_of(match[1]) if match else None
    return found.get("raw") if isinstance(found, dict) else None


def _is_nested(word: object) -> bool:
    """Whether there is an error where the words of one should be."""
    return not isinstance(word, str) or word.lstrip()[:1] in ("{", "[")


def _wrong_field(found: Mapping[str, Any]) -> dict[str, str]:
    """What pydantic says of a field; its place begins with the part of the request."""
    place = ".".join(str(each) for each in found["loc"] if each != "body")
    message = str(found.get("msg") or found.get("message") or found.get("type") or "wrong")
    return {"message": f"{place}: {message}" if place else message, "param": place}
