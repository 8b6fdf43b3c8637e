"""Engines for PostgreSQL.

What a driver that speaks asyncio needs is imported here and nowhere else: a bot with SQLite does
without the greenlets, the sessions and PostgreSQL's types.

A firewall or a lost host may make a connection lead nowhere without a word to either end. So none
is used without a short look, the server ends what takes too long itself, and who hears nothing from
it after that breaks the connection off, and does not take leave of it.
"""

from __future__ import annotations

import asyncio
from weakref import WeakSet

from asyncpg import (  # type: ignore[import-untyped]  # has none
    Connection,
    InterfaceError,
    InternalClientError,
    PostgresError,
    connect,
)
from sqlalchemy import ExceptionContext, event
from sqlalchemy.engine import AdaptedConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.store.drivers.errors import READ_ONLY
from bot.store.settings import StorageSettings

_CONNECT_SECONDS = 5.0
"""How long a server may take to let us in: not a matter of locks, so not of `busy_timeout`."""
_AGAIN = 2.0
"""Seconds until a server that did not let us in is tried again: meanwhile nobody waits in vain."""
WORK = 30.0
"""Seconds the server may work at a statement of a running bot beside those for locks."""
ANSWER = 3.0
"""Seconds in which a server that is there answers when there is nothing to work at."""
IDLE = 10.0
"""Seconds until the server takes back a transaction of which it hears no more, with its locks: the
bot has given the connection up by then, and its next try would wait for the rows. Much longer than
the bot ever takes between two statements."""
_KEEPALIVE = 60
"""Seconds until the server looks whether an idle bot is still there: a firewall on the way does not
forget the connection meanwhile, and of a host that is gone the server notices it (PostgreSQL's own
value is two hours)."""


class Connector:
    """Opens connections on which nothing waits longer than `busy_timeout` for a lock.

    The server ends what it works at for longer than `work` seconds besides; None is for ever.
    """

    def __init__(self, settings: StorageSettings, *, work: float | None) -> None:
        self._lock_timeout = settings.busy_timeout
        self._limit = None if work is None else settings.busy_timeout + work
        self._open = WeakSet[Connection]()  # SQLAlchemy lets go of what it has closed
        self._silent_until = float("-inf")

    @property
    def seconds(self) -> float | None:
        """How long to wait for the end of a statement."""
        return None if self._limit is None else self._limit + ANSWER

    async def connect(self, *where: object, **how: object) -> Connection:
        """A new connection. Raises at once when there was just none to be had."""
        loop = asyncio.get_running_loop()
        if loop.time() < self._silent_until:
            raise TimeoutError
        try:
            connection = await self._connect(*where, **how)
        except TimeoutError:
            self._silent_until = loop.time() + _AGAIN
            raise
        self._open.add(connection)
        return connection

    async def _connect(self, *where: object, **how: object) -> Connection:
        connection = await connect(*where, timeout=_CONNECT_SECONDS, **how)
        try:
            # Not among the `server_settings`: PgBouncer lets nobody in who asks for these.
            await connection.execute(
                f"SET lock_timeout = {_milliseconds(self._lock_timeout)}; "
                f"SET statement_timeout = {_milliseconds(self._limit)}; "
                "SET idle_in_transaction_session_timeout = "
                f"{_milliseconds(self._limit and IDLE)}; "
                f"SET tcp_keepalives_idle = {_KEEPALIVE}; SET tcp_keepalives_interval = 10; "
                "SET tcp_keepalives_count = 6",
                timeout=_CONNECT_SECONDS,
            )
        except BaseException:
            connection.terminate()
            raise
        return connection

    def abandon(self) -> None:
        """Break all connections off: what is under way on them fails at once."""
        for connection in list(self._open):
            connection.terminate()


def engine(
    settings: StorageSettings, connections: int, connector: Connector | None = None
) -> AsyncEngine:
    """An engine with so many connections; without a `connector`, for what is answered at once."""
    connector = connector or Connector(settings, work=ANSWER)
    new = create_async_engine(
        settings.url,
        pool_size=connections,
        max_overflow=0,
        # As long as it may take to replace one.
        pool_timeout=settings.busy_timeout + ANSWER + _CONNECT_SECONDS,
        connect_args={
            "command_timeout": connector.seconds,
            "server_settings": {"application_name": "chinwag"},
            "async_creator_fn": connector.connect,
        },
    )
    event.listen(new.sync_engine, "checkout", _must_answer)
    event.listen(new.sync_engine, "close", _break_off)
    event.listen(new.sync_engine, "handle_error", _connect_anew_where_it_helps)
    return new


def listening_engine(settings: StorageSettings) -> AsyncEngine:
    """An engine with one connection, outside of transactions, to hear the server's notices on."""
    return engine(settings, 1).execution_options(isolation_level="AUTOCOMMIT")


def _milliseconds(seconds: float | None) -> int:
    """As PostgreSQL wants it; without a limit, 0."""
    return int((seconds or 0) * 1000)


def _must_answer(connection: AdaptedConnection, record: object, proxy: object) -> None:
    """Before a connection is used: if the server does not answer, all there are may be the same.

    SQLAlchemy's own look has no limit, and takes three turns on the way.
    """
    try:
        connection.run_async(lambda driver: driver.execute("SELECT 1", timeout=ANSWER))
    except (PostgresError, InterfaceError, InternalClientError, OSError) as error:
        raise InvalidatePoolError from error  # which connects anew


def _break_off(connection: AdaptedConnection, record: object) -> None:
    """Before a connection is closed: one that leads nowhere would wait for the server's leave."""
    connection.driver_connection.terminate()


def _connect_anew_where_it_helps(context: ExceptionContext) -> None:
    """When the server is read-only: after a failover another one is not.

    Also a session that began while a database was read-only stays so. And when it has not said
    anything although the time for the statement is over.
    """
    error = context.original_exception
    if getattr(error, "sqlstate", None) == READ_ONLY or isinstance(error, TimeoutError):
        context.is_disconnect = True
