"""Whether a pooler stands before PostgreSQL that shares connections between transactions.

Behind such a one statements work, but who listens hears nothing and locks are held by nobody: no
word would come of work, of /stop, and of which bots are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.core.phrases import Phrase
from bot.errors import StoreError
from bot.store.drivers.errors import SHARED, translated
from bot.store.settings import StorageSettings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_TRIES = 5
"""While others use the pooler, too, the same session does not come back every time."""


async def sessions_must_be_ours(settings: StorageSettings) -> None:
    """Raises `StoreError` when the sessions of a PostgreSQL are shared."""
    if settings.sqlite_file is not None:
        return
    from bot.store.drivers.postgres import engine  # 9 MB that a bot with SQLite does without

    two = engine(settings, 2)
    try:
        with translated():
            async with two.connect() as one:
                if await _session(one) == await _told(one):  # nobody stands between
                    return
                async with two.connect() as other:
                    for _ in range(_TRIES):
                        await one.rollback()
                        await other.rollback()
                        mine = await _session(one)
                        await one.rollback()
                        if await _session(other) == mine:
                            raise StoreError(Phrase(SHARED))
    finally:
        await two.dispose()


async def _session(connection: AsyncConnection) -> object:
    """Who answers in this transaction."""
    return await connection.scalar(sa.select(sa.func.pg_backend_pid()))


async def _told(connection: AsyncConnection) -> object:
    """Who answered according to the greeting, in which a pooler says something of its own."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None  # it is connected
    return driver.get_server_pid()
