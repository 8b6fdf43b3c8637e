"""Two ways to carry out jobs: through asyncio for PostgreSQL, in a thread of its own for SQLite.

SQLite answers in microseconds, but through an asyncio driver every statement goes to a thread and
back several times, and waits each time for the event loop and for the interpreter: with 200 answers
under way, the few queries at the beginning of a turn took ten seconds. So a whole transaction is
one trip to a thread that speaks to SQLite directly.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, cast

import sqlalchemy as sa

from bot.errors import StoreError
from bot.store.drivers.connection import Connection, DirectConnection

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")

Job: TypeAlias = Callable[[Connection], Awaitable[T]]
"""Statements of one transaction. Awaits nothing but the connection, and touches nothing else: it
may run twice, and in another thread."""

OnStart: TypeAlias = Callable[[], None]
"""Called right before a job starts: until then more items may be added to its batch."""


def do_nothing() -> None:
    """The `OnStart` of a job that is no batch."""


@dataclass(frozen=True, slots=True)
class QueuedJob(Generic[T]):
    """A job that waits, and the future for its result."""

    job: Job[T]
    result: asyncio.Future[T]
    on_start: OnStart


def resolve(futures: Sequence[asyncio.Future[T]], results: Sequence[T | BaseException]) -> None:
    """Set the results of futures, in order; an exception is raised where it is awaited."""
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue  # its caller was cancelled
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)


class Engine(Protocol):
    """Carries out jobs. Raises what the driver raises, and what the jobs raise.

    A job that reads runs to its end even when its caller is cancelled.
    """

    async def transaction(self, jobs: Sequence[Job[object]]) -> list[object]:
        """Run jobs under one commit."""

    async def read(self, job: Job[T], on_start: OnStart) -> T:
        """Run a job that changes nothing."""

    def abandon(self) -> None:
        """Break off what waits for a server that does not answer: it fails at once."""

    async def close(self) -> None:
        """Close the connections."""


class AsyncioEngine:
    """`Engine` over a driver that speaks asyncio; `abandon` breaks its connections off."""

    def __init__(self, engine: AsyncEngine, abandon: Callable[[], None]) -> None:
        self._engine = engine
        self._abandon = abandon
        # One statement sees one moment anyhow: reading needs no BEGIN and no ROLLBACK.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._reads: set[asyncio.Task[Any]] = set()

    async def transaction(self, jobs: Sequence[Job[object]]) -> list[object]:
        async with self._engine.begin() as connection:
            return [await job(connection) for job in jobs]

    async def read(self, job: Job[T], on_start: OnStart) -> T:
        task = asyncio.create_task(self._read(job, on_start))
        self._reads.add(task)
        task.add_done_callback(self._reads.discard)
        return await asyncio.shield(task)

    async def _read(self, job: Job[T], on_start: OnStart) -> T:
        async with self._reading.connect() as connection:
            on_start()
            return await job(connection)

    def abandon(self) -> None:
        self._abandon()

    async def close(self) -> None:
        if self._reads:
            await asyncio.wait(self._reads)
        await self._engine.dispose()


READS = 32
"""Jobs that read in one trip to a thread at most: the first of them waits for the last."""


class ThreadEngine:
    """`Engine` over a driver that blocks: one thread writes, `readers` others read.

    Reads that come while all readers are busy share the next trip.
    """

    def __init__(self, writing: sa.Engine, reading: sa.Engine, *, readers: int) -> None:
        self._writing = writing
        self._reading = reading
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="store-reader")
        self._idle = readers
        self._waiting: deque[QueuedJob[object]] = deque()
        self._trips: set[asyncio.Task[None]] = set()

    async def transaction(self, jobs: Sequence[Job[object]]) -> list[object]:
        def work() -> list[object]:
            with self._writing.begin() as connection:
                return [_run(job, connection) for job in jobs]

        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    async def read(self, job: Job[T], on_start: OnStart) -> T:
        result: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting.append(QueuedJob(job, result, on_start))
        if self._idle:
            self._idle -= 1
            trip = asyncio.create_task(self._take_trips())
            self._trips.add(trip)
            trip.add_done_callback(self._trips.discard)
        return cast("T", await result)  # it is what the job returned

    async def _take_trips(self) -> None:
        """Keep one reader busy as long as anything waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            count = min(len(self._waiting), READS)
            trip = [self._waiting.popleft() for _ in range(count)]
            for queued in trip:
                queued.on_start()
            jobs = [queued.job for queued in trip]
            results: list[object | Exception]
            try:
                results = await loop.run_in_executor(self._readers, self._read, jobs)
            except RuntimeError as error:  # the threads are closed, or the system has none left
                results = [StoreError(f"nothing can be read ({error})") for _ in jobs]
            resolve([queued.result for queued in trip], results)
        self._idle += 1

    def _read(self, jobs: Sequence[Job[object]]) -> list[object | Exception]:
        """What each job returned, or raised: that is nobody else's business."""
        try:
            with self._reading.connect() as connection:
                return [_outcome(job, connection) for job in jobs]
        except Exception as error:  # there is no connection
            return [error for _ in jobs]

    def abandon(self) -> None:
        """A file has no server."""

    async def close(self) -> None:
        if self._trips:
            await asyncio.wait(self._trips)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._readers, self._reading.dispose)
        await loop.run_in_executor(self._writer, self._writing.dispose)
        self._readers.shutdown()
        self._writer.shutdown()


def _outcome(job: Job[object], connection: sa.Connection) -> object | Exception:
    try:
        return _run(job, connection)
    except Exception as error:
        connection.rollback()  # else the next job would meet what is left of this one
        return error


def _run(job: Job[T], connection: sa.Connection) -> T:
    """Carry out a job without an event loop: with such a connection it never waits."""
    steps = job(DirectConnection(connection)).__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("a job of the database waited for something else")
