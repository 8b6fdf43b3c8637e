"""Engines for PostgreSQL.

What a driver that speaks asyncio needs is imported here and nowhere else: a bot with SQLite does
without the greenlets, the sessions and PostgreSQL's types.
"""

from __future__ import annotations

from functools import partial

from asyncpg import Connection, connect  # type: ignore[import-untyped]  # has none
from sqlalchemy import ExceptionContext, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.store.errors import READ_ONLY
from bot.store.settings import StorageSettings

_CONNECT_SECONDS = 10.0
"""How long a server may take to let us in: not a matter of locks, so not of `busy_timeout`."""
SILENCE = 30.0
"""Seconds for a statement of a running bot beside those for locks: a server that is gone without a
word is noticed, too."""
_KEEPALIVE = 60
"""Seconds until the server looks whether an idle bot is still there: a firewall on the way does not
forget the connection meanwhile, and of a host that is gone the server notices it (PostgreSQL's own
value is two hours)."""


def engine(settings: StorageSettings, connections: int, *, limited: bool = True) -> AsyncEngine:
    """An engine with so many connections; a statement may take for ever unless it is `limited`."""
    made = create_async_engine(
        settings.url,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=settings.busy_timeout,
        pool_pre_ping=True,
        connect_args={
            "timeout": _CONNECT_SECONDS,
            "command_timeout": settings.busy_timeout + SILENCE if limited else None,
            "server_settings": {"application_name": "chinwag"},
            "async_creator_fn": partial(_connect, lock_timeout=settings.busy_timeout),
        },
    )
    event.listen(made.sync_engine, "handle_error", _leave_where_nothing_is_written)
    return made


def _leave_where_nothing_is_written(context: ExceptionContext) -> None:
    """Connect anew when the server is read-only: after a failover another one is not.

    Also a session that began while a database was read-only stays so.
    """
    if getattr(context.original_exception, "sqlstate", None) == READ_ONLY:
        context.is_disconnect = True


async def _connect(*where: object, lock_timeout: float, **how: object) -> Connection:
    """A connection on which nothing waits longer than so many seconds for a lock."""
    connection = await connect(*where, **how)
    try:
        # Not among the `server_settings`: PgBouncer lets nobody in who asks for these.
        await connection.execute(
            f"SET lock_timeout = {int(lock_timeout * 1000)}; "
            f"SET tcp_keepalives_idle = {_KEEPALIVE}; SET tcp_keepalives_interval = 10; "
            "SET tcp_keepalives_count = 6"
        )
    except BaseException:
        connection.terminate()
        raise
    return connection


def listening_engine(settings: StorageSettings) -> AsyncEngine:
    """An engine with one connection, outside of transactions, to hear the server's notices on."""
    return engine(settings, 1).execution_options(isolation_level="AUTOCOMMIT")
