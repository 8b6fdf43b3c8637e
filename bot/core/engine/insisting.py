"""Writing down what has happened already, while the database refuses."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from bot.core.ports import Clock
from bot.errors import StoreError, StoreRefused

log = logging.getLogger(__name__)

PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between tries; they grow."""
REFUSALS = 2
"""So often it is tried although it cannot be kept: another process may just have come between."""
LAST_TRIES = 2
"""So often it is tried when the bot is being shut down; what is open then is recovered later."""


async def insist(
    write: Callable[[], Awaitable[None]], *, clock: Clock, leaving: Callable[[], bool]
) -> None:
    """Ask the database until it agrees. Raises `StoreRefused` when it never will.

    What is still open when the bot is `leaving` counts as running, and is recovered at the next
    start.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await write()
        except StoreError as error:
            log.error("database refuses", extra={"attempt": attempt, "error": repr(error)})
            if isinstance(error, StoreRefused) and attempt >= REFUSALS:
                raise
            if leaving() and attempt >= LAST_TRIES:
                return None
            await clock.sleep(min(PAUSE * attempt, LONGEST_PAUSE))
