"""Two ways to carry out jobs: through asyncio for PostgreSQL, in a thread of its own for SQLite.

SQLite answers in microseconds, but through an asyncio driver every statement goes to a thread and
back several times, and waits each time for the event loop and for the interpreter: with 200 answers
under way, the few queries at the beginning of a turn took ten seconds. So a whole transaction is
one trip to a thread that speaks to SQLite directly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

import sqlalchemy as sa

from bot.store.connection import Connection, DirectConnection

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

Job: TypeAlias = Callable[[Connection], Awaitable[T]]
"""Statements of one transaction. Awaits nothing but the connection, and touches nothing else: it
may run twice, and in another thread."""


class Engine(Protocol):
    """Carries out jobs. Raises what the driver raises, and what the jobs raise."""

    async def transaction(self, jobs: Sequence[Job[object]]) -> list[object]:
        """Run jobs under one commit."""
        ...

    async def read(self, job: Job[T]) -> T:
        """Run a job that changes nothing."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


class AsyncioEngine:
    """`Engine` over a driver that speaks asyncio."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # One statement sees one moment anyhow: reading needs no BEGIN and no ROLLBACK.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def transaction(self, jobs: Sequence[Job[object]]) -> list[object]:
        """Run jobs under one commit."""
        async with self._engine.begin() as connection:
            return [await job(connection) for job in jobs]

    async def read(self, job: Job[T]) -> T:
        """Run a job that changes nothing."""
        async with self._reading.connect() as connection:
            return await job(connection)

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()


class ThreadEngine:
    """`Engine` over a driver that blocks: one thread writes, `readers` others read."""

    def __init__(self, writing: sa.Engine, reading: sa.Engine, *, readers: int) -> None:
        self._writing = writing
        self._reading = reading
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="store-reader")

    async def transaction(self, jobs: Sequence[Job[object]]) -> list[object]:
        """Run jobs under one commit."""

        def work() -> list[object]:
            with self._writing.begin() as connection:
                return [_run(job, connection) for job in jobs]

        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    async def read(self, job: Job[T]) -> T:
        """Run a job that changes nothing."""

        def work() -> T:
            with self._reading.connect() as connection:
                return _run(job, connection)

        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def close(self) -> None:
        """Close the connections."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._readers, self._reading.dispose)
        await loop.run_in_executor(self._writer, self._writing.dispose)
        self._readers.shutdown()
        self._writer.shutdown()


def _run(job: Job[T], connection: sa.Connection) -> T:
    """Carry out a job without an event loop: with such a connection it never waits."""
    steps = job(DirectConnection(connection)).__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("a job of the database waited for something else")
