"""Translates everything that goes wrong on the wire into `CallFailed`, a `ModelError`.

Gateways agree on little: an error's words stand under five names, its code may be missing, empty
or a number, and the status often belongs to something else. So the code decides first, then known
words of the message, and the status last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.api.retry import retry_after, should_retry
from bot.core.punctuation import shortened
from bot.errors import ModelError, ModelErrorKind

Kind = ModelErrorKind

PROXY_WANTS_A_PASSWORD = 407
DETAIL = 300
"""Characters of the API's own sentence that are passed on."""

_CODES = {
    Kind.QUOTA: (
        "insufficient_quota",
        "insufficient_user_quota",
        "pre_consume_token_quota_failed",
        "billing_hard_limit_reached",
        "billing_not_active",
        "insufficient_balance",
    ),
    Kind.MODEL_NOT_FOUND: ("model_not_found", "model_not_exist", "model_not_available"),
    Kind.CONTEXT_TOO_LONG: ("context_length_exceeded", "string_above_max_length"),
    Kind.REFUSED: (
        "content_policy_violation",
        "content_filter",
        "moderation_blocked",
        "data_inspection_failed",
        "sensitive_words_detected",
    ),
    Kind.BAD_KEY: ("invalid_api_key", "authentication_error", "account_deactivated"),
    Kind.RATE_LIMITED: ("rate_limit_exceeded", "rate_limit_error", "too_many_requests"),
    Kind.SERVER: ("server_error", "internal_server_error", "overloaded_error", "bad_gateway"),
}
_KIND_OF_CODE = {code: kind for kind, codes in _CODES.items() for code in codes}
_WORDS = (
    (
        Kind.QUOTA,
        r"insufficient (user )?(quota|balance|credit)|quota is not enough|额度不足|余额不足",
    ),
    (
        Kind.MODEL_NOT_FOUND,
        r"\bmodel\b.{0,80}(does not exist|not found|not exist|is not available)"
        r"|no available channel for model|无可用渠道",
    ),
    (
        Kind.CONTEXT_TOO_LONG,
        r"maximum context length|context (window|length)|prompt is too long|input.{0,20}too long"
        r"|too many (input )?tokens|reduce the length",
    ),
    (Kind.REFUSED, r"content policy|safety system|content management policy|usage polic"),
    (Kind.BAD_KEY, r"(invalid|incorrect) (api[ -]?key|token)|无效的令牌"),
)
_NAMES = {
    "message": ("message", "msg", "err", "error_msg", "detail"),
    "code": ("code",),
    "param": ("param",),
    "type": ("type",),
    "request_id": ("request_id", "requestId"),
}
"""Under which names gateways write the parts of an error."""
_REQUEST_ID = re.compile(r"\s*\(?(?:request[ _-]?id|traceid)[: ]+([\w-]+)\)?\s*$", re.IGNORECASE)
REQUEST_ID_ROOM = 200
"""Characters at the end of a message in which a request id is looked for."""
_SECRETS = re.compile(r"\b(sk-|Bearer )[\w*.-]{4,}")
_STATUS_KINDS = {
    401: Kind.BAD_KEY,
    402: Kind.QUOTA,
    403: Kind.BAD_KEY,
    404: Kind.UNSUPPORTED,
    405: Kind.UNSUPPORTED,
    408: Kind.TIMEOUT,
    409: Kind.SERVER,
    429: Kind.RATE_LIMITED,
    501: Kind.UNSUPPORTED,
    504: Kind.TIMEOUT,
    522: Kind.TIMEOUT,
    524: Kind.TIMEOUT,
}
_TEMPORARY = frozenset(
    {Kind.RATE_LIMITED, Kind.SERVER, Kind.UNREACHABLE, Kind.TIMEOUT, Kind.BAD_ANSWER}
)
_ENDPOINT_FAULTS = frozenset({Kind.SERVER, Kind.UNREACHABLE, Kind.TIMEOUT, Kind.BAD_ANSWER})


class CallFailed(ModelError):
    """A failed call, with what the client needs to know to try again.

    `temporary`: the same request may succeed later. `code` is the API's own word.
    """

    def __init__(
        self,
        kind: ModelErrorKind,
        detail: str = "",
        *,
        status: int | None = None,
        retry_after: float | None = None,
        request_id: str = "",
        param: str = "",
        code: str = "",
        temporary: bool | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(
            kind,
            detail,
            status=status,
            retry_after=retry_after,
            request_id=request_id,
            param=param,
            sent=sent,
        )
        self.code = code
        self.temporary = kind in _TEMPORARY if temporary is None else temporary

    def again(self) -> CallFailed:
        """The same failure, to be raised once more without the traceback of the first time."""
        return CallFailed(
            self.kind,
            self.detail,
            status=self.status,
            retry_after=self.retry_after,
            request_id=self.request_id,
            sent=self.sent,
        )

    @property
    def endpoint_fault(self) -> bool:
        """Whether it speaks against the server rather than against the request."""
        return self.kind in _ENDPOINT_FAULTS and self.temporary


def from_response(status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
    """The failure that an answer with a status other than 200 means."""
    if status == PROXY_WANTS_A_PASSWORD:
        return refused_by_proxy(status)
    payload = _json(body)
    error = _read(payload) if isinstance(payload, dict) else _plain(status, headers, body)
    kind = _kind(status, error)
    if kind is Kind.UNSUPPORTED and not isinstance(payload, dict):
        error["message"] += "; does the base URL end in /v1?"
    asked = should_retry(headers)
    return CallFailed(
        kind,
        _clean(error["message"]) or f"status {status}",
        status=status,
        retry_after=retry_after(headers),
        request_id=error["request_id"] or request_id(headers),
        param=error["param"],
        code=error["code"],
        temporary=asked if asked is not None and kind is not Kind.QUOTA else None,
    )


def from_payload(payload: Mapping[str, Any], *, request: str = "") -> CallFailed | None:
    """The failure that a body or an event under status 200 holds; None when it holds none."""
    if not (payload.get("error") or payload.get("type") == "error" or _only_words(payload)):
        return None
    error = _read(payload)
    status = int(error["code"]) if re.fullmatch(r"[45]\d\d", error["code"]) else 500
    return CallFailed(
        _kind(status, error),
        _clean(error["message"]),
        status=200,
        request_id=error["request_id"] or request,
        param=error["param"],
        code=error["code"],
    )


def from_transport(error: aiohttp.ClientError) -> CallFailed:
    """The failure that an exception of aiohttp means; above all, whether the request was sent."""
    unreachable = Kind.UNREACHABLE
    match error:
        case aiohttp.ClientHttpProxyError():
            return refused_by_proxy(error.status)
        case aiohttp.ClientProxyConnectionError():
            return CallFailed(unreachable, "the proxy cannot be reached", sent=False)
        case aiohttp.ClientConnectorDNSError():
            return CallFailed(unreachable, "the host is unknown", sent=False)
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return CallFailed(unreachable, "the TLS certificate is not accepted", sent=False)
        case aiohttp.ClientConnectorError():
            return CallFailed(unreachable, "the connection was refused", sent=False)
        case aiohttp.ConnectionTimeoutError():
            return CallFailed(unreachable, "no connection in time", sent=False)
        case aiohttp.InvalidURL():
            return CallFailed(unreachable, "the address is no URL", sent=False)
        case aiohttp.ContentTypeError() | aiohttp.ClientResponseError():
            return CallFailed(Kind.BAD_ANSWER, "the answer is not HTTP as it should be")
    return CallFailed(unreachable, f"the connection broke ({type(error).__name__})")


def refused_by_proxy(status: int) -> CallFailed:
    """The failure that the operator's proxy means; only a fault of its own passes by itself."""
    return CallFailed(
        Kind.UNREACHABLE,
        f"the proxy refuses (status {status})",
        status=status,
        temporary=status >= 500,
        sent=False,
    )


def not_the_api(body: bytes, headers: Mapping[str, str]) -> CallFailed:
    """The failure for a body under status 200 that is not the API's."""
    what = "an empty answer"
    if body.strip():
        page = body.lstrip()[:1] == b"<"
        what = "a page for people, not JSON; does the base URL end in /v1?" if page else "not JSON"
    return CallFailed(Kind.BAD_ANSWER, what, status=200, request_id=request_id(headers))


def request_id(headers: Mapping[str, str]) -> str:
    """The id under which the API's operator finds the request."""
    for name in ("x-request-id", "x-oneapi-request-id", "request-id", "cf-ray"):
        if value := headers.get(name):
            return value[:100]
    return ""


def _only_words(payload: Mapping[str, Any]) -> bool:
    """Whether a body is an error by its shape: a sentence, and nothing of an answer."""
    answers = {"choices", "data", "text", "output", "response", "type", "object", "usage"}
    words = (payload.get(name) for name in _NAMES["message"])
    return not answers & payload.keys() and any(isinstance(word, str) for word in words)


def _json(body: bytes) -> object:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found


def _read(payload: Mapping[str, Any]) -> dict[str, str]:
    """Message, code, param and request id, under whichever names they stand."""
    inner = payload.get("error")
    shapes = [inner, payload] if isinstance(inner, dict) else [payload]
    found = dict.fromkeys(_NAMES, "")
    if isinstance(inner, str):
        found["message"] = inner
    for shape in shapes:
        for name, keys in _NAMES.items():
            for key in keys:
                value = shape.get(key)
                if not found[name] and isinstance(value, str | int) and value not in ("", 0):
                    found[name] = str(value)
    message = found["message"]
    if match := _REQUEST_ID.search(message, max(0, len(message) - REQUEST_ID_ROOM)):
        found["request_id"] = match[1]
        found["message"] = message[: match.start()]
    return found


def _plain(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """An error without JSON: a redirect, a page of a proxy, or a line of text."""
    message = body[:DETAIL].decode("utf-8", "replace").strip()
    if 300 <= status < 400:
        message = f"the server redirects to {headers.get('location', 'nowhere')}"
    elif message.startswith("<") or not message:
        message = f"status {status}"
    return {**dict.fromkeys(_NAMES, ""), "message": message}


def _kind(status: int, error: Mapping[str, str]) -> ModelErrorKind:
    for word in (error["code"].lower(), error["type"].lower()):
        if word in _KIND_OF_CODE:
            return _KIND_OF_CODE[word]
    for kind, pattern in _WORDS:
        if re.search(pattern, error["message"], re.IGNORECASE):
            return kind
    if status in _STATUS_KINDS:
        return _STATUS_KINDS[status]
    if 300 <= status < 400:
        return Kind.BAD_ANSWER
    return Kind.SERVER if status >= 500 else Kind.BAD_REQUEST


def _clean(message: str) -> str:
    """The sentence as it may be shown: short, and without anything that looks like a key."""
    return shortened(" ".join(_SECRETS.sub(r"\1***", message).split()), DETAIL)
