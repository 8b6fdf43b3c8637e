"""Asks the operator's cheap model (`summary_model`) for a title or a summary."""

from __future__ import annotations

from contextlib import aclosing

from bot.core.chat import ChatMessage, ChatRequest, Role, Sampling, TextDelta, TextPart
from bot.core.limits.meter import Meter
from bot.core.models import UsageEntry
from bot.core.services import Services
from bot.core.spending import reserve_chore
from bot.errors import ModelError, ModelErrorKind

LANE = "chores"
"""Work that nobody waits for takes turns with the chats as if it were one more of them."""


async def ask_cheap_model(
    services: Services, instruction: str, text: str, *, max_tokens: int
) -> tuple[str, tuple[UsageEntry, ...]]:
    """What the cheap model makes of a text, and what that cost. Raises `ModelError`."""
    model = services.defaults.summary_model
    request = ChatRequest(
        model=model,
        messages=(
            ChatMessage(role=Role.SYSTEM, parts=(TextPart(instruction),)),
            ChatMessage(role=Role.USER, parts=(TextPart(text),)),
        ),
        sampling=Sampling(max_tokens=max_tokens),
        lane=LANE,
    )
    meter, said = Meter(services.api, services.clock, services.count_tokens), ""
    meter.begin(request)
    try:
        async with (
            reserve_chore(services, request),
            aclosing(services.api.stream(request)) as events,
        ):
            async for event in events:
                meter.take(event)
                if isinstance(event, TextDelta):
                    said += event.text
    except ModelError as error:
        if error.kind is ModelErrorKind.CONTEXT_TOO_LONG:
            services.calibrations.learn(request, error.overrun, count=services.count_tokens)
        raise
    return said, meter.entries()
