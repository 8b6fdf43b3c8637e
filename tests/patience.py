"""How long tests wait for what must come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

PATIENCE = 60.0
"""Seconds. It only ends a test that would hang: a machine that is busy, or stands still for some
seconds, must not make one fail."""


async def until(true: Callable[[], object | Awaitable[object]]) -> None:
    """Look again and again at what tells nobody of its change, until it is true."""
    async with asyncio.timeout(PATIENCE):
        while not (await seen if isinstance(seen := true(), Awaitable) else seen):  # noqa: ASYNC110
            await asyncio.sleep(0.002)
