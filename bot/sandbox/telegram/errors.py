"""A call the server refuses, in the words of the real Bot API."""

from __future__ import annotations

from collections.abc import Mapping

_NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    409: "Conflict",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
}


class Refused(Exception):
    """The answer is an error: `code` is the HTTP status, `description` the sentence of the body."""

    def __init__(
        self, code: int, text: str = "", parameters: Mapping[str, int] | None = None
    ) -> None:
        name = _NAMES.get(code, "Bad Request")
        self.code = code
        self.description = f"{name}: {_lowered(text)}" if text else name
        self.parameters = dict(parameters or {})
        super().__init__(self.description)


class BadRequest(Refused):
    """The most common refusal: 400 with a sentence."""

    def __init__(self, text: str) -> None:
        super().__init__(400, text)


class TooManyRequests(Refused):
    """429: nothing more for `retry_after` whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(429, f"retry after {retry_after}", {"retry_after": retry_after})


def _lowered(text: str) -> str:
    """The first letter small, as the server does, except in codes (`BUTTON_DATA_INVALID`)."""
    if len(text) > 1 and (text[1] == "_" or "A" <= text[1] <= "Z"):
        return text
    return text[:1].lower() + text[1:]
