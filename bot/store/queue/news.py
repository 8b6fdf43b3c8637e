"""Notices between the processes that share a PostgreSQL (LISTEN and NOTIFY).

That there is work is only a hint: a process that misses it finds the turn at its next look into the
table. That an answer is to be stopped is for the process that writes it: also when its lease is
renewed it learns that.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.core.clock import SystemClock, within
from bot.core.errands import beside
from bot.core.types import ChatId, ChatRef
from bot.store.drivers.connection import Connection
from bot.store.queue.presence import present

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

log = logging.getLogger(__name__)

CHANNEL, STOPS = "chinwag_turns", "chinwag_stops"
AGAIN = 2.0
"""Seconds until a connection that broke is made anew."""
LOOK_EVERY, LOOK_SECONDS = 3.0, 5.0
"""A connection that a firewall has forgotten is never heard of: now and then the server is asked
something, and has so many seconds to answer. When it does not, the other connections are no better:
these cannot be asked while a statement runs on them."""


async def tell(connection: Connection, owner: str) -> None:
    """Tell the processes of other owners, once this transaction is committed."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_notify(CHANNEL, owner)))


async def tell_to_stop(connection: Connection, chat: ChatRef, turn_ids: Sequence[int] = ()) -> None:
    """Tell whoever writes in a chat to stop, if turns are named only with these.

    This process hears it, too.
    """
    if connection.dialect.name == "postgresql":
        place = json.dumps([chat.platform, chat.id, *turn_ids])
        await connection.execute(sa.select(sa.func.pg_notify(STOPS, place)))


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens, and what to call.

    `seen` when others see that we are there, `met` when we hear of one, `hear` for work that
    processes of other owners may have left, `stop` for a chat, and `cut_off` when the server does
    not answer any more.
    """

    owner: str
    seen: Callable[[], None]
    met: Callable[[], None]
    hear: Callable[[], None]
    stop: Callable[[ChatRef, Sequence[int]], object]
    cut_off: Callable[[], None]


@asynccontextmanager
async def heard(engine: AsyncEngine, listener: Listener) -> AsyncIterator[None]:
    """Be there in the block, and hear what others tell. Disposes of the engine."""
    tried = asyncio.Event()
    try:
        async with beside(_listen(engine, listener, tried.set)):
            await tried.wait()  # who is not there yet would lose the turns that it begins
            yield
    finally:
        await engine.dispose()


async def _listen(engine: AsyncEngine, listener: Listener, tried: Callable[[], None]) -> None:
    """Be there and listen, whenever that is possible; `tried` is told of each try."""
    # 9 MB that a bot with SQLite does without.
    from asyncpg import InterfaceError, PostgresError  # type: ignore[import-untyped]  # has none

    while True:
        try:
            async with engine.connect() as connection, present(connection, listener.owner):
                await _listen_on(connection, listener, tried)
        except (SQLAlchemyError, PostgresError, InterfaceError, OSError) as error:
            log.warning("not listening", extra={"reason": type(error).__name__})
        finally:
            tried()
        await engine.dispose()  # else a server that became a standby would be asked for ever
        await asyncio.sleep(AGAIN)


async def _listen_on(
    connection: AsyncConnection, listener: Listener, listens: Callable[[], None]
) -> None:
    """Listen until the connection ends."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None  # it is connected
    ended = asyncio.Event()

    def told(_: object, __: int, ___: str, sender: str) -> None:
        if sender != listener.owner:
            listener.met()
            listener.hear()

    def told_to_stop(_: object, __: int, ___: str, place: str) -> None:
        platform, chat, *turn_ids = json.loads(place)
        listener.stop(ChatRef(platform, ChatId(chat)), turn_ids)

    driver.add_termination_listener(lambda _: ended.set())
    await driver.add_listener(CHANNEL, told)
    await driver.add_listener(STOPS, told_to_stop)
    await tell(connection, listener.owner)  # they hear that there is another one now
    listener.seen()
    listener.hear()  # something may have come before
    listens()
    try:
        while not await within(SystemClock(), LOOK_EVERY, ended.wait()):
            await driver.execute("SELECT 1", timeout=LOOK_SECONDS)
    except Exception:
        driver.terminate()  # else there would be more that waits for an answer
        listener.cut_off()
        raise
    listener.cut_off()
