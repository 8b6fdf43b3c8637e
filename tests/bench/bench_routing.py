"""What the way of a message through the core costs, besides the work itself: `python -m …`.

A message that only needs a sentence (`/stop` with nothing to stop) is taken in, committed, claimed,
routed and answered by a platform in memory. Of that, routing is what is measured by itself: gate,
place, and the look-up of the command.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from bot.core.access import Access, Gate
from bot.core.commands import COMMANDS
from bot.core.engine.router import Router
from bot.core.types import Event
from tests.house import open_house

MESSAGES = 300
ALLOWED = 0.002
"""Seconds that routing may take per message."""


async def main() -> None:
    """Measure, print, and fail when routing is too slow."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_house(Path(folder)) as house:
            services, places = house.services, house.platform.places
            gate = Gate(Access(open=True), services.clock, places, services.stores.grants)
            router = Router(gate, COMMANDS)
            routing, whole = [], []
            await house.say("/settings")
            label = house.platform.buttons()[0]
            for number in range(MESSAGES):
                text = ("/settings", "hello", "/nonsense", "/model x", "")[number % 5]
                event: Event = house.platform.message(text)
                if not text:
                    event = house.platform.press(label)
                began = time.perf_counter()
                await gate.refresh()
                gate.takes_in(event)
                await router.intake(event, house.services.stores)
                routing.append(time.perf_counter() - began)
            for _ in range(MESSAGES):
                began = time.perf_counter()
                await house.say("/stop")
                whole.append(time.perf_counter() - began)
    for name, taken in (("routing", routing), ("a command from end to end", whole)):
        typical, slow = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        print(f"{name}: {typical * 1000:.3f} ms, p95 {slow * 1000:.3f} ms")
    if statistics.median(routing) > ALLOWED:
        raise SystemExit(f"routing takes more than {ALLOWED * 1000:.0f} ms")


if __name__ == "__main__":
    asyncio.run(main())
