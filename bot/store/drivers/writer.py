"""The way into the database: transactions one after the other, and several under one commit.

SQLite has one writer at a time, and a commit waits for the disk. So one connection writes, in the
order of the calls, and jobs that came while it was busy share the next commit. A job that fails
takes nobody along: the transaction is rolled back and every job of it runs again alone. On
PostgreSQL it is the same, which keeps events in the order in which they were handed in.

What turns leave at their end is patient: nobody waits for it, and when a crowd's answers end
together it takes longer than all that somebody does wait for.

A caller that is cancelled does not disturb the transaction: a job handed in is carried out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TypeVar, cast

from bot.errors import StoreBusy, StoreError
from bot.store.drivers.engines import Engine, Job, OnStart, QueuedJob, resolve
from bot.store.drivers.errors import translated

T = TypeVar("T")


TOGETHER = 64
"""Jobs under one commit at most: the first of them waits for the last."""
PATIENT = 16
"""Of those that are patient: whoever comes meanwhile waits for them. Some go with every commit."""


class Writer:
    """Runs jobs in transactions, one after the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[QueuedJob[object]] = deque()
        self._patient: deque[QueuedJob[object]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    def run(self, job: Job[T], *, on_start: OnStart, patient: bool = False) -> asyncio.Future[T]:
        """Run a job; the future has its result once it is committed.

        A `patient` job lets others go first. The future raises `StoreError`, and what the job
        raises.
        """
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed:
            result.set_exception(StoreError("the database is closed"))
            return result
        queued = QueuedJob(job, result, on_start)
        queue = self._patient if patient else self._waiting
        queue.append(cast("QueuedJob[object]", queued))  # the result is only passed through
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return result

    async def close(self) -> None:
        """Finish what is waiting; then nothing more is taken."""
        self._closed = True
        if self._worker is not None:
            await asyncio.wait([self._worker])

    async def _work(self) -> None:
        while self._waiting or self._patient:
            batch = [*_taken(self._waiting, TOGETHER), *_taken(self._patient, PATIENT)]
            for queued in batch:
                queued.on_start()
            await self._commit(batch)
        # In the same breath as the last look at the queue: who comes next starts a worker.
        self._worker = None

    async def _commit(self, batch: Sequence[QueuedJob[object]]) -> None:
        """Run the jobs under one commit; when that fails, each alone."""
        attempt = asyncio.create_task(self._transaction([queued.job for queued in batch]))
        await asyncio.wait([attempt])
        error = attempt.exception()
        if error is None:
            resolve([queued.result for queued in batch], attempt.result())
        elif len(batch) > 1 and not isinstance(error, StoreBusy):
            for queued in batch:
                await self._commit([queued])
        else:  # alone, or shut out by a lock that the next attempt would only wait for again
            resolve([queued.result for queued in batch], [error] * len(batch))

    async def _transaction(self, jobs: Sequence[Job[object]]) -> list[object]:
        with translated():
            return await self._engine.transaction(jobs)


def _taken(queue: deque[QueuedJob[object]], most: int) -> list[QueuedJob[object]]:
    return [queue.popleft() for _ in range(min(len(queue), most))]
