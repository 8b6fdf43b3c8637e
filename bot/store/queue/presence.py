"""Which processes are there: each that shares a PostgreSQL holds a lock as long as it lives.

The server lets go of the lock the moment the connection is gone, however the process went: whoever
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

from bot.store.connection import Connection
from bot.store.schema import turns

GOODBYE = 1.0
"""Seconds to let go of the lock at the end; with its connection it is gone anyhow."""


def new_owner() -> str:
    """A name that no other start of a process has, whatever its host and its number."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(8)}"


@asynccontextmanager
async def present(connection: Connection, owner: str) -> AsyncIterator[None]:
    """Be there under this name in the block, as long as the connection lasts."""
    key = _key(sa.literal(owner))
    # Shared: an earlier connection of ours may be lost, and the server not know of it yet.
    await connection.execute(sa.select(sa.func.pg_advisory_lock_shared(key)))
    try:
        yield
    finally:  # the server takes a moment to notice that a connection was closed
        with suppress(SQLAlchemyError, TimeoutError):
            async with asyncio.timeout(GOODBYE):
                await connection.execute(sa.select(sa.func.pg_advisory_unlock_shared(key)))


def _key(owner: sa.ColumnElement[str]) -> sa.ColumnElement[int]:
    return sa.func.hashtextextended(owner, 0)


# How a key of 64 bits is shown: https://www.postgresql.org/docs/current/view-pg-locks.html
_PRESENT = sa.text(
    """SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1"""
).columns(sa.column("key", sa.BigInteger))

ABSENT = _key(turns.c.owner).not_in(_PRESENT)
"""The process that ran the turn is gone, or has lost its connection; on PostgreSQL only."""
