"""Asks again with less of the conversation where a model refuses it as too long.

The window of a model may be unknown or smaller than its list says, and our count of tokens is not
the model's. What a refusal tells is learnt (`calibration`), so that the next question fits at once.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from bot.core.chat import ChatRequest, Usage
from bot.core.memory.shortening import without_pictures
from bot.core.memory.window import Window
from bot.core.services import Services
from bot.core.turn import TurnContext
from bot.errors import UNTOLD, ModelError

log = logging.getLogger(__name__)

Make: TypeAlias = Callable[[bool], Awaitable[ChatRequest]]
"""Makes the request of what fits by now, or, with True, of the question alone."""


async def ask_what_fits(
    ctx: TurnContext,
    request: ChatRequest,
    ask: Callable[[ChatRequest], Awaitable[None]],
    *,
    make: Make,
    begun: Callable[[], bool],
) -> None:
    """Ask at most three times: the request, one with less of the history, the question alone.

    The limits reserved for the first request hold for the others. Raises `ModelError`; also
    when the request was too long, but the answer has `begun`, or the question alone is too long.
    """
    for alone in (False, True):
        try:
            return await ask(request)
        except ModelError as error:
            less = (
                None
                if begun() or not error.is_too_long
                else await _less(ctx, request, error, make, alone=alone)
            )
            if less is None:
                raise
            request = less
    return await ask(request)


def learn_from_usage(
    services: Services, request: ChatRequest, used: Usage | None, window: Window, *, cut: bool
) -> None:
    """Learn the model's count from the usage of a request that was made for the `window`.

    From an answer that was `cut` by the end of the window, or where the server may have cut the
    question (`Window.cuts`).
    """
    if used is None or used.estimated:
        return
    if cut and used.prompt_tokens > window.budget:
        services.calibrations.learn_used(request, used.prompt_tokens, count=services.count_tokens)
    if window.cuts:
        services.calibrations.learn_cut(request, used.prompt_tokens, count=services.count_tokens)


async def _less(
    ctx: TurnContext, request: ChatRequest, error: ModelError, make: Make, *, alone: bool
) -> ChatRequest | None:
    """The request with less in it; None when there is nothing to leave out."""
    overrun, services = error.overrun, ctx.services
    extra = {"model": request.model, "limit": overrun.limit, "asked": overrun.asked}
    log.info("too long, asking for less", extra={**ctx.log, **extra})
    if overrun.pictures is not None:
        fewer = _granted(await make(False), request)
        return None if fewer == request else fewer
    if error.is_about_bytes:
        lighter = _lighter(request)
        if lighter != request:
            return lighter
    else:
        services.calibrations.learn(request, overrun, count=services.count_tokens)
    bare = _granted(await make(True), request)
    if alone or bare == request:
        return None if bare == request else bare
    less = _granted(await make(False), request)
    if less == request:  # by what it told it fits: somebody adds to it, or wants a long answer
        services.calibrations.learn(request, UNTOLD, count=services.count_tokens)
        less = _granted(await make(False), request)
    return bare if less == request else less


def _lighter(request: ChatRequest) -> ChatRequest:
    """Without the pictures from before."""
    *before, asked = request.messages
    return replace(request, messages=(*map(without_pictures, before), asked))


def _granted(less: ChatRequest, request: ChatRequest) -> ChatRequest:
    """The smaller request, with an answer no longer than that of the one it replaces."""
    longest, most = less.sampling.max_tokens, request.sampling.max_tokens
    if most is None or (longest is not None and longest <= most):
        return less
    return replace(less, sampling=replace(less.sampling, max_tokens=most))
