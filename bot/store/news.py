"""What a process tells the others that share its PostgreSQL: that there is work. Only a hint.

Whoever misses it finds the turn at the next look into the table.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.store.connection import Connection

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

log = logging.getLogger(__name__)

CHANNEL = "chinwag_turns"
AGAIN = 5.0
"""Seconds until a connection that broke is made anew."""
_OURS = f"{os.uname().nodename}:{os.getpid()}"


async def tell(connection: Connection) -> None:
    """Tell the other processes, once this transaction is committed."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_notify(CHANNEL, _OURS)))


@asynccontextmanager
async def heard(engine: AsyncEngine, hear: Callable[[], None]) -> AsyncIterator[None]:
    """Call `hear` for what other processes tell, while the block runs. Disposes of the engine."""
    listening = asyncio.create_task(_listen(engine, hear))
    try:
        yield
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await engine.dispose()


async def _listen(engine: AsyncEngine, hear: Callable[[], None]) -> None:
    while True:
        try:
            async with engine.connect() as connection:
                await _listen_on(connection, hear)
        except (SQLAlchemyError, OSError) as error:
            log.warning("not listening", extra={"reason": type(error).__name__})
        await asyncio.sleep(AGAIN)


async def _listen_on(connection: AsyncConnection, hear: Callable[[], None]) -> None:
    """Listen until the connection ends."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None  # it is connected
    ended = asyncio.Event()

    def told(_: object, __: int, ___: str, sender: str) -> None:
        if sender != _OURS:
            hear()

    driver.add_termination_listener(lambda _: ended.set())
    await driver.add_listener(CHANNEL, told)
    hear()  # something may have come before
    await ended.wait()
