"""What the requests of an answer took: tokens, waiting, money."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.chat import (
    PICTURE_TOKENS,
    ChatRequest,
    ModelEvent,
    ReasoningDelta,
    TextDelta,
    TextPart,
    ToolCallDelta,
    Usage,
    pictures_in,
)
from bot.core.models import UsageEntry, UsageKind
from bot.core.ports import Clock, ModelApi, TokenCounter


@dataclass(slots=True)
class _Measured:
    """One request; times are of the monotonic clock."""

    request: ChatRequest
    began: float
    first: float | None = None
    last: float | None = None
    usage: Usage | None = None
    said: str = ""
    sent: bool = False


class Meter:
    """Measures the requests of one answer. `begin` each, `take` its events, ask for `entries`.

    A request that somebody stopped after it was `sent` is estimated by what it had said: it is
    billed all the same. One that `failed` without a word is not.
    """

    def __init__(self, api: ModelApi, clock: Clock, count: TokenCounter) -> None:
        self._api = api
        self._clock = clock
        self._count = count
        self._requests: list[_Measured] = []

    @property
    def usage(self) -> Usage | None:
        """What the last request took, as the API reported or estimated it."""
        return self._requests[-1].usage if self._requests else None

    def begin(self, request: ChatRequest) -> None:
        """A request is made now."""
        self._requests.append(_Measured(request, self._clock.monotonic()))

    def sent(self) -> None:
        """The request that began last goes out."""
        self._requests[-1].sent = True

    def failed(self) -> None:
        """The request that began last was refused, or broke off."""
        self._requests[-1].sent = False

    def take(self, event: ModelEvent) -> None:
        """An event of the request that began last."""
        measured = self._requests[-1]
        measured.last = self._clock.monotonic()
        match event:
            case TextDelta() | ReasoningDelta():
                measured.said += event.text
            case ToolCallDelta():
                measured.said += event.arguments
            case Usage():
                measured.usage = event
        if measured.first is None and not isinstance(event, Usage):
            measured.first = measured.last

    def entries(self) -> tuple[UsageEntry, ...]:
        """An entry for each request that took anything, priced."""
        return tuple(
            self._api.priced(self._entry(measured))
            for measured in self._requests
            if measured.usage is not None or measured.first is not None or measured.sent
        )

    def _entry(self, measured: _Measured) -> UsageEntry:
        used = measured.usage or self._estimate(measured)
        began, first, last = measured.began, measured.first, measured.last
        return UsageEntry(
            kind=UsageKind.CHAT,
            model=measured.request.model,
            prompt_tokens=used.prompt_tokens,
            completion_tokens=used.completion_tokens,
            cached_tokens=used.cached_tokens,
            latency=(self._clock.monotonic() if last is None else last) - began,
            first_token=None if first is None else first - began,
            estimated=used.estimated,
        )

    def _estimate(self, measured: _Measured) -> Usage:
        messages = measured.request.messages
        parts = [part for message in messages for part in message.parts]
        words = "\n".join(part.text for part in parts if isinstance(part, TextPart))
        return Usage(
            prompt_tokens=self._count(words) + PICTURE_TOKENS * pictures_in(messages),
            completion_tokens=self._count(measured.said),
            estimated=True,
        )
