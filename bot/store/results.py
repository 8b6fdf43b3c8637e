"""Handing results to those who wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TypeVar

Result = TypeVar("Result")


def tell(waiting: Sequence[asyncio.Future[Result]], ends: Sequence[Result | BaseException]) -> None:
    """Give everybody who waits what came of it, in order; an exception is raised there."""
    for future, end in zip(waiting, ends, strict=True):
        if future.done():
            continue  # its caller was cancelled
        if isinstance(end, BaseException):
            future.set_exception(end)
        else:
            future.set_result(end)
