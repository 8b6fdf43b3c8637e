"""Which processes are there: each that shares a PostgreSQL holds two locks as long as it lives.

By one it is known itself, by the other, which all have, that there is anybody.

The server lets go of them the moment the connection is gone, however the process went: whoever
starts next takes over what it left, and need not wait until its lease is over.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.store.drivers.connection import Connection
from bot.store.schema import turns

GOODBYE = 1.0
"""Seconds to let go of the locks at the end; with their connection they are gone anyhow."""


def new_owner() -> str:
    """A name that no other start of a process has, whatever its host and its number."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(8)}"


@asynccontextmanager
async def present(connection: Connection, owner: str) -> AsyncIterator[None]:
    """Be there under this name in the block, as long as the connection lasts."""
    keys = _key(sa.literal(owner)), _ANYBODY
    # Shared: an earlier connection of ours may be lost, and the server not know of it yet.
    await connection.execute(sa.select(*map(sa.func.pg_advisory_lock_shared, keys)))
    try:
        yield
    finally:  # the server takes a moment to notice that a connection was closed
        with suppress(SQLAlchemyError, TimeoutError):
            async with asyncio.timeout(GOODBYE):
                await connection.execute(sa.select(*map(sa.func.pg_advisory_unlock_shared, keys)))


async def others(connection: Connection, owner: str) -> bool:
    """Whether a process of another owner is there."""
    return bool(await connection.scalar(_OTHERS, {"owner": owner}))


def _key(owner: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    return sa.func.hashtextextended(owner, 0)


# How a key of 64 bits is shown: https://www.postgresql.org/docs/current/view-pg-locks.html
_LOCKS = """SELECT (classid::bigint << 32) | objid::bigint AS key, pid FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_PRESENT = sa.text(f"SELECT key FROM ({_LOCKS}) AS locks").columns(sa.column("key", sa.BigInteger))
_ANYBODY = _key(sa.literal("chinwag"))
_OTHERS = sa.text(
    f"""WITH locks AS ({_LOCKS}) SELECT EXISTS (
        SELECT 1 FROM locks WHERE key = hashtextextended('chinwag', 0)
        AND pid NOT IN (SELECT pid FROM locks WHERE key = hashtextextended(:owner, 0)))"""
)

ABSENT = _key(turns.c.owner).not_in(_PRESENT)
"""The process that ran the turn is gone, or has lost its connection; on PostgreSQL only."""
