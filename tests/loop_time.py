"""The time of the event loop, by which what has a deadline is given up."""

from __future__ import annotations

import asyncio

import pytest


class LoopTime:
    """It stands still, however long a busy machine takes, and passes when it is told to.

    Nothing that waits for a time goes on by itself meanwhile, `asyncio.timeout` neither.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._now = loop.time()
        monkeypatch.setattr(loop, "time", lambda: self._now)

    def passes(self, seconds: float) -> None:
        """What is due by then comes as soon as something is waited for."""
        self._now += seconds
