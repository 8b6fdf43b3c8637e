"""What a process tells the others that share its PostgreSQL.

That there is work is only a hint: whoever misses it finds the turn at the next look into the table.
That an answer is to be stopped is for the one who writes it; who misses it writes on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.core.types import ChatId, ChatRef
from bot.store.connection import Connection

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

log = logging.getLogger(__name__)

CHANNEL, STOPS = "chinwag_turns", "chinwag_stops"
AGAIN = 5.0
"""Seconds until a connection that broke is made anew."""
_OURS = f"{os.uname().nodename}:{os.getpid()}"


async def tell(connection: Connection) -> None:
    """Tell the other processes, once this transaction is committed."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_notify(CHANNEL, _OURS)))


async def tell_to_stop(connection: Connection, chat: ChatRef) -> None:
    """Tell whoever writes in a chat to stop; this process hears it, too."""
    place = json.dumps([chat.platform, chat.id])
    await connection.execute(sa.select(sa.func.pg_notify(STOPS, place)))


@asynccontextmanager
async def heard(
    engine: AsyncEngine, hear: Callable[[], None], stop: Callable[[ChatRef], object]
) -> AsyncIterator[None]:
    """Call `hear` for work that other processes tell of, and `stop` for a chat, in the block.

    Disposes of the engine.
    """
    listening = asyncio.create_task(_listen(engine, hear, stop))
    try:
        yield
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await engine.dispose()


async def _listen(
    engine: AsyncEngine, hear: Callable[[], None], stop: Callable[[ChatRef], object]
) -> None:
    while True:
        try:
            async with engine.connect() as connection:
                await _listen_on(connection, hear, stop)
        except (SQLAlchemyError, OSError) as error:
            log.warning("not listening", extra={"reason": type(error).__name__})
        await asyncio.sleep(AGAIN)


async def _listen_on(
    connection: AsyncConnection, hear: Callable[[], None], stop: Callable[[ChatRef], object]
) -> None:
    """Listen until the connection ends."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None  # it is connected
    ended = asyncio.Event()

    def told(_: object, __: int, ___: str, sender: str) -> None:
        if sender != _OURS:
            hear()

    def told_to_stop(_: object, __: int, ___: str, place: str) -> None:
        platform, chat = json.loads(place)
        stop(ChatRef(platform, ChatId(chat)))

    driver.add_termination_listener(lambda _: ended.set())
    await driver.add_listener(CHANNEL, told)
    await driver.add_listener(STOPS, told_to_stop)
    hear()  # something may have come before
    await ended.wait()
