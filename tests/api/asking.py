"""Asks a client, and reads what it says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing

from bot.api.client import ApiClient
from bot.core.chat import (
    ChatMessage,
    ChatRequest,
    Finished,
    ModelEvent,
    ReasoningDelta,
    Role,
    Sampling,
    TextDelta,
    TextPart,
    Tool,
)
from bot.errors import ModelError, ModelErrorKind

NO_SAMPLING = Sampling()


def question(
    text: str = "Hi",
    *,
    model: str = "m",
    sampling: Sampling = NO_SAMPLING,
    tools: tuple[Tool, ...] = (),
    lane: str = "",
) -> ChatRequest:
    said = ChatMessage(role=Role.USER, parts=(TextPart(text),))
    return ChatRequest(model=model, messages=(said,), sampling=sampling, tools=tools, lane=lane)


async def ask(
    client: ApiClient,
    request: ChatRequest | None = None,
    *,
    unheard: Callable[[], None] = lambda: None,
) -> list[ModelEvent]:
    """All events of a whole answer."""
    async with aclosing(client.stream(request or question(), unheard=unheard)) as events:
        return [event async for event in events]


async def ask_badly(
    client: ApiClient,
    request: ChatRequest | None = None,
    *,
    unheard: Callable[[], None] = lambda: None,
) -> tuple[list[ModelEvent], ModelError]:
    """The events before an error, and the error."""
    seen: list[ModelEvent] = []
    try:
        async with aclosing(client.stream(request or question(), unheard=unheard)) as events:
            async for event in events:
                seen.append(event)  # noqa: PERF401  # what came before the error counts
    except ModelError as error:
        return seen, error
    raise AssertionError("no error")


def of(kind: ModelErrorKind) -> Callable[[ModelError], bool]:
    """Whether an error is of this kind."""
    return lambda error: error.kind is kind


def words(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def thoughts(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ReasoningDelta))


def is_finished(events: list[ModelEvent]) -> bool:
    return bool(events) and isinstance(events[-1], Finished)
