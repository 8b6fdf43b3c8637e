"""The clock of the machine, as the port `Clock`."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Real time."""

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for real."""
        await asyncio.sleep(max(0.0, seconds))
