"""Translates everything that goes wrong on the wire into `CallFailed`, a `ModelError`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.api.failures.bodies import is_an_error, json_of, nothing_known, read_error
from bot.api.failures.kinds import kind_of
from bot.api.failures.overruns import read_overrun, read_pictures
from bot.api.failures.retry import asked_in_words, retry_after, should_retry
from bot.core.phrases import Phrase
from bot.core.punctuation import shortened
from bot.errors import TOO_LARGE, UNTOLD, ModelError, ModelErrorKind, Overrun

Kind = ModelErrorKind

PAYMENT_REQUIRED = 402
FORBIDDEN = 403
PROXY_WANTS_A_PASSWORD = 407
_WRONG_PATH = "; does the base URL end in /v1?"
_LOADING = re.compile(
    r"(?<!error )\bloading model|\b(is|still) (currently |still )?loading", re.IGNORECASE
)
"""llama.cpp, until it is ready; Hugging Face. Ollama's "error loading model" is its end."""
_BEHIND = re.compile(
    r"上游负载已饱和|upstream is saturated|rate-limited upstream"
    r"|访问量过大|\boverloaded\b|no capacity available",
    re.IGNORECASE,
)
"""Who has no room is one of those behind the gateway (one-api and its kin; OpenRouter), or the one
model (Zhipu, Moonshot, Google)."""
LOADING = 5.0
"""Seconds until a server is asked again that loads its model."""
DETAIL = 300
"""Characters of the API's own sentence that are passed on."""

_SECRETS = re.compile(r"\b(sk-|Bearer )[\w*.-]{4,}")
_TRACE = "Jinja Exception: "
"""Behind where in a template llama.cpp was when it refused a request: nothing for people."""
_REQUEST_IDS = (
    "x-request-id",
    "x-oneapi-request-id",
    "x-litellm-call-id",
    "request-id",
    "cf-ray",
)
_TEMPORARY = frozenset(
    {Kind.RATE_LIMITED, Kind.SERVER, Kind.UNREACHABLE, Kind.TIMEOUT, Kind.BAD_ANSWER}
)
_ENDPOINT_FAULTS = frozenset({Kind.SERVER, Kind.UNREACHABLE, Kind.TIMEOUT, Kind.BAD_ANSWER})


@dataclass(eq=False, repr=False, kw_only=True)
class CallFailed(ModelError):
    """A failed call, with what the client needs to know to try again.

    `code` is the API's own word. `passes`: whether it passes by itself, where that is known.
    `loading`: the server is not ready yet, but will be soon. `silent`: nothing at all came from it,
    for long. `url` is the address where it was tried.
    """

    code: str = ""
    passes: bool | None = None
    loading: bool = False
    silent: bool = False
    url: str = ""

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return self.kind in _TEMPORARY if self.passes is None else self.passes

    def again(self, kind: ModelErrorKind | None = None, *, request_id: str = "") -> CallFailed:
        """The same failure, or as one of another kind, without the traceback of the first time.

        `request_id` is for one that does not know its own.
        """
        return CallFailed(
            kind or self.kind,
            self.detail,
            status=self.status,
            retry_after=self.retry_after,
            request_id=self.request_id or request_id,
            code=self.code,
            sent=self.sent,
        )

    @property
    def is_about_us(self) -> bool:
        """Whether fewer requests of ours would help; not where one model's own server is full.

        "This is not an account-level concurrency throttle", apiyi.com says of it
        (https://docs.apiyi.com/en/faq/groups-explained).
        """
        return _BEHIND.search(self.detail) is None

    @property
    def endpoint_fault(self) -> bool:
        """Whether it speaks against the server rather than against the request."""
        return self.kind in _ENDPOINT_FAULTS and self.temporary


def from_response(status: int, headers: Mapping[str, str], body: bytes) -> CallFailed:
    """The failure that an answer with a status other than 200 means."""
    if status == PROXY_WANTS_A_PASSWORD:
        return refused_by_proxy(status)
    payload = json_of(body)
    is_json = isinstance(payload, dict | list)
    error = read_error(payload) if is_json else _plain(status, headers, body)
    kind = kind_of(status, error)
    if kind is Kind.UNSUPPORTED and not is_json:
        error["message"] += _WRONG_PATH
    if status == FORBIDDEN and body.lstrip().startswith(b"<"):  # no API speaks so of a key
        kind, error["message"] = Kind.BAD_ANSWER, "what guards the server sent a page for people"
    asked, waits = should_retry(headers), retry_after(headers)
    if status == PAYMENT_REQUIRED and waits:
        # What runs at once may cost more than is left; who waits is let in again
        # (https://openrouter.ai/docs/api/errors, "Retry-After header").
        kind = Kind.RATE_LIMITED
    loading = kind is Kind.SERVER and _LOADING.search(error["message"]) is not None
    return CallFailed(
        kind,
        _clean(error["message"]) or f"status {status}",
        status=status,
        retry_after=_wait(kind, waits, error) or (LOADING if loading else None),
        request_id=error["request_id"] or request_id(headers),
        param=error["param"],
        code=error["code"],
        overrun=_overrun(kind, error),
        passes=asked if asked is not None and kind is not Kind.QUOTA else None,
        loading=loading,
        sent=status != FORBIDDEN,
    )


def from_payload(payload: Mapping[str, Any]) -> CallFailed | None:
    """The failure that a body or an event under status 200 holds; None when it holds none."""
    if not is_an_error(payload):
        return None
    error = read_error(payload)
    status = int(error["code"]) if re.fullmatch(r"[45]\d\d", error["code"]) else 500
    is_ours = "invalid_request_error" in (error["code"], error["type"])
    if status == 500 and is_ours and error["code"] != "request_timeout":
        status = 400  # it would have been, had it come in time for a status
    kind = kind_of(status, error)
    if kind is Kind.UNSUPPORTED:  # LM Studio speaks of a wrong path under status 200
        error["message"] += _WRONG_PATH
    return CallFailed(
        kind,
        _clean(error["message"]),
        status=200,
        retry_after=_wait(kind, None, error),
        request_id=error["request_id"],
        param=error["param"],
        code=error["code"],
        overrun=_overrun(kind, error),
    )


def from_transport(error: aiohttp.ClientError) -> CallFailed:
    """The failure that an exception of aiohttp means; above all, whether the request was sent."""
    unreachable = Kind.UNREACHABLE
    match error:
        case aiohttp.ClientHttpProxyError():
            return refused_by_proxy(error.status)
        case aiohttp.ClientProxyConnectionError():
            return CallFailed(unreachable, Phrase("the proxy cannot be reached"), sent=False)
        case aiohttp.ClientConnectorDNSError():
            return CallFailed(unreachable, Phrase("the host is unknown"), sent=False)
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return CallFailed(
                unreachable, Phrase("the TLS certificate is not accepted"), sent=False
            )
        case aiohttp.ClientConnectorError():
            return CallFailed(unreachable, Phrase("the connection was refused"), sent=False)
        case aiohttp.ConnectionTimeoutError():
            late = Phrase("no connection in time")
            return CallFailed(unreachable, late, silent=True, sent=False)
        case aiohttp.InvalidURL():
            return CallFailed(unreachable, Phrase("the address is no URL"), sent=False)
        case aiohttp.ContentTypeError() | aiohttp.ClientResponseError():
            return CallFailed(Kind.BAD_ANSWER, Phrase("the answer is not HTTP as it should be"))
    broke = Phrase("the connection broke ({error})", error=type(error).__name__)
    return CallFailed(unreachable, broke)


def refused_by_proxy(status: int) -> CallFailed:
    """The failure that the operator's proxy means; only a fault of its own passes by itself."""
    return CallFailed(
        Kind.UNREACHABLE,
        Phrase("the proxy refuses (status {status})", status=status),
        status=status,
        passes=status >= 500,
        sent=False,
    )


def not_the_api(body: bytes, headers: Mapping[str, str]) -> CallFailed:
    """The failure for a body under status 200 that is not the API's."""
    what = Phrase("an empty answer")
    if body.lstrip()[:1] == b"<":
        what = Phrase("a page for people, not JSON; does the base URL end in /v1?")
    elif body.strip():
        what = Phrase("not JSON")
    return CallFailed(Kind.BAD_ANSWER, what, status=200, request_id=request_id(headers))


def request_id(headers: Mapping[str, str]) -> str:
    """The id under which the API's operator finds the request."""
    for name in _REQUEST_IDS:
        if value := headers.get(name):
            return value[:100]
    return ""


def _plain(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """An error without JSON: a redirect, a page of a proxy, or a line of text."""
    message = body[:DETAIL].decode("utf-8", "replace").strip()
    if 300 <= status < 400:
        message = f"the server redirects to {headers.get('location', 'nowhere')}"
    elif message.startswith("<") or not message:
        why = "the request is larger than the server takes, " if status == TOO_LARGE else ""
        message = f"{why}status {status}"
    return {**nothing_known(), "message": message}


def _overrun(kind: Kind, error: Mapping[str, str]) -> Overrun:
    if kind is Kind.CONTEXT_TOO_LONG:
        return read_overrun(error)
    return read_pictures(error) if kind is Kind.BAD_REQUEST else UNTOLD


def _wait(kind: Kind, asked: float | None, error: Mapping[str, str]) -> float | None:
    """Seconds to wait: gateways pass on the words about a limit, but not the header."""
    if asked is None and kind is Kind.RATE_LIMITED:
        return asked_in_words(error["message"])
    return asked


def _clean(message: str) -> str:
    """The sentence as it may be shown: short, and without anything that looks like a key."""
    message = _SECRETS.sub(r"\1***", message.rpartition(_TRACE)[2])
    return shortened(" ".join(message.split()), DETAIL)
