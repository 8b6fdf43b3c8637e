"""Waits for an API that is down, so that nobody has to ask again."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.core.sentences import keeps_trying
from bot.core.turn import TurnContext
from bot.errors import PASSING, ModelError

log = logging.getLogger(__name__)

T = TypeVar("T")

FIRST_PAUSE, LAST_PAUSE = 2.0, 30.0
"""Seconds between tries, doubled each time; the client has made tries of its own before."""


async def patiently(
    ctx: TurnContext,
    ask: Callable[[], Awaitable[T]],
    *,
    status: Callable[[str], None],
    begun: Callable[[], bool] = lambda: False,
) -> T:
    """Ask, and ask again after failures that pass, as long as `Defaults.patience` lasts.

    `status` is told meanwhile. Once the answer has `begun` it is not asked again. Raises
    `ModelError`.
    """
    clock, patience = ctx.services.clock, ctx.services.defaults.patience
    since, pause = clock.monotonic(), FIRST_PAUSE
    while True:
        try:
            return await ask()
        except ModelError as error:
            wait = max(pause, error.retry_after or 0.0)
            late = clock.monotonic() + wait - since > patience
            if error.kind not in PASSING or begun() or late:
                raise
            extra = {**ctx.log, "kind": error.kind.value, "seconds": wait}
            log.warning("waiting for the API", extra=extra)
        status(keeps_trying(ctx.texts))
        await clock.sleep(wait)
        pause = min(LAST_PAUSE, pause * 2)
