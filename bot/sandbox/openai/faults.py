"""What can go wrong on the wire, for the next request or for all of them.

Faults before the answer: `Refuse`, `Raw`, `Hang`, `Drop`. Faults in the answer: `Stall`, `Cut`,
`Truncate`, `NoDone`, `ErrorEvent`; their `after` counts events of a stream. In an answer that
is not streamed, `Stall` and `Cut` strike in the middle of the body.
"""

from __future__ import annotations

import asyncio
from dataclasses import KW_ONLY, dataclass
from typing import TypeAlias

from bot.sandbox.openai.backend import JsonObject
from bot.sandbox.openai.refusal import error_body

_KNOWN = {
    400: ("invalid_request_error", "invalid_request_error", "The request is invalid."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
    500: ("server_error", "server_error", "The server had an error processing your request."),
    503: ("server_error", "server_error", "The engine is currently overloaded."),
}


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with a status and an error body.

    Empty fields take the documented words of the status. `retry_after` is the header's value:
    seconds, or an HTTP date.
    """

    status: int
    message: str = ""
    _: KW_ONLY
    code: str = ""
    type: str = ""
    retry_after: float | str | None = None
    headers: tuple[tuple[str, str], ...] = ()

    def answer(self) -> JsonObject:
        """The body of the answer."""
        type_, code, message = _KNOWN.get(self.status, ("server_error", "", "Something failed."))
        return error_body(
            self.message or message, type=self.type or type_, code=self.code or code or None
        )


def out_of_quota() -> Refuse:
    """The balance is used up: a 429 that must not be tried again."""
    return Refuse(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        code="insufficient_quota",
        type="insufficient_quota",
    )


@dataclass(frozen=True, slots=True)
class Raw:
    """Answer with these bytes and nothing else."""

    content: bytes
    status: int = 200
    content_type: str = "text/event-stream"


def html_page() -> Raw:
    """A page for people, under 200 and an event stream's name, as captive gateways send it."""
    return Raw(b"<!doctype html><html><body><h1>Welcome to nginx!</h1></body></html>")


@dataclass(frozen=True, slots=True)
class Hang:
    """Take the request and say nothing, not even the headers, until the client goes away."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Take the request and close the connection without an answer."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Fall silent after so many events: for `seconds`, until then, or for good.

    In any case the silence ends when the client goes away.
    """

    after: int = 0
    seconds: float | None = None
    until: asyncio.Event | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Break the connection after so many events."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class Truncate:
    """End the stream in good order after so many events, without its end events."""

    after: int = 0


@dataclass(frozen=True, slots=True)
class NoDone:
    """Leave the closing `[DONE]` away."""


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """Send an error as an event after so many events, and end."""

    after: int = 0
    message: str = "The server had an error while processing your request."
    code: str = "server_error"


Fault: TypeAlias = Refuse | Raw | Hang | Drop | Stall | Cut | Truncate | NoDone | ErrorEvent


class Faults:
    """The faults that are waiting to happen, in order; each strikes a request of its endpoint."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Fault, int | None]] = []

    def add(self, fault: Fault, *, on: str = "", times: int | None = 1) -> None:
        """Strike the next `times` requests (None: all) to `on`, such as `/chat/completions`.

        Empty `on` strikes requests to any endpoint.
        """
        self._waiting.append((on, fault, times))

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._waiting.clear()

    def take(self, endpoint: str) -> Fault | None:
        """The fault that strikes a request to this endpoint now, if any."""
        for place, (on, fault, times) in enumerate(self._waiting):
            if on not in ("", endpoint):
                continue
            if times is not None and times <= 1:
                del self._waiting[place]
            elif times is not None:
                self._waiting[place] = (on, fault, times - 1)
            return fault
        return None
