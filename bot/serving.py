"""Serves platforms until the bot is told to stop, and ends in good order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from bot.core.engine.lanes import Lanes
from bot.core.errands import cancel
from bot.core.ports import Platform
from bot.core.services import Services
from bot.errors import PlatformError

log = logging.getLogger(__name__)

DRAIN = 7.5
"""Seconds that running answers are given at the end; `docker stop` kills after ten. What is left
parts within a second (`PARTING`), and the connections close within another (`LEAVING`)."""
PUBLISH_AGAIN = 60.0


async def serve(
    lanes: Lanes,
    services: Services,
    platforms: Mapping[str, Platform],
    stop: asyncio.Event,
    connected: set[str],
) -> None:
    """Serve the platforms until `stop` is set; `connected` has the names of those that are.

    At the end intake stops first, then what runs, then the connections: so nothing is lost.
    """
    work = asyncio.create_task(lanes.run())
    intake = [asyncio.create_task(_run(p, lanes, services, connected)) for p in platforms.values()]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({work, stopping, *intake}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        end = services.clock.monotonic() + DRAIN
        await cancel(stopping, *intake)  # which takes a while when the database does not answer
        await lanes.drain(max(0.0, end - services.clock.monotonic()))
        await cancel(work)
        await asyncio.gather(*(platform.close() for platform in platforms.values()))
    for task in (work, *intake):
        if not task.cancelled():
            task.result()


async def _run(platform: Platform, lanes: Lanes, services: Services, connected: set[str]) -> None:
    ready = asyncio.Event()

    def is_connected() -> None:
        connected.add(platform.name)
        ready.set()

    publishing = asyncio.create_task(_publish(platform, services, ready))
    try:
        await platform.run(lanes.sink, is_connected)
    finally:
        connected.discard(platform.name)
        await cancel(publishing)


async def _publish(platform: Platform, services: Services, ready: asyncio.Event) -> None:
    """Tell the platform the commands once it is connected; a menu is worth a few tries."""
    await ready.wait()
    log.info("connected", extra={"platform": platform.name})
    for _ in range(5):
        try:
            return await platform.publish(services.menu)
        except PlatformError as error:
            log.warning(
                "commands not published",
                extra={"platform": platform.name, "error": repr(error)},
            )
            await services.clock.sleep(PUBLISH_AGAIN)
    return None


@contextmanager
def stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """The first SIGTERM or SIGINT ends in good order, the second at once.

    SIGHUP, of a terminal that is closed, is as the first, unless `nohup` has it ignored.
    """
    loop = asyncio.get_running_loop()

    def handle(number: int) -> None:
        if stop.is_set():
            if number == signal.SIGHUP:  # a shell that goes with its terminal tells it once more
                return
            os._exit(128 + number)
        log.info("stopping", extra={"signal": signal.Signals(number).name})
        stop.set()

    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, handle, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
