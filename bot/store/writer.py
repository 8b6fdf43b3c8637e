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
from bot.store.engines import Begun, Engine, Entry, Job, tell
from bot.store.errors import translated

T = TypeVar("T")


TOGETHER = 64
"""Jobs under one commit at most: the first of them waits for the last."""
PATIENT = 16
"""Of those that are patient: whoever comes meanwhile waits for them. Some go with every commit."""


class Writer:
    """Runs jobs in transactions, one after the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[Entry[object]] = deque()
        self._patient: deque[Entry[object]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._closed = False

    def run(self, job: Job[T], *, begun: Begun, patient: bool = False) -> asyncio.Future[T]:
        """Run a job; what it returns is there when it is committed.

        `begun` is called when its time has come: until then it may be given more to do. What is
        `patient` lets others pass. The future raises `StoreError`, and what the job raises.
        """
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed:
            result.set_exception(StoreError("the database is closed"))
            return result
        entry = Entry(job, result, begun)
        row = self._patient if patient else self._waiting
        row.append(cast("Entry[object]", entry))  # the result is only passed through
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
            for entry in batch:
                entry.begun()
            await self._commit(batch)
        # In the same breath as the last look at the queue: who comes next starts a worker.
        self._worker = None

    async def _commit(self, batch: Sequence[Entry[object]]) -> None:
        """Run the jobs under one commit; when that fails, each alone."""
        attempt = asyncio.create_task(self._transaction([entry.job for entry in batch]))
        await asyncio.wait([attempt])
        error = attempt.exception()
        if error is None:
            tell([entry.result for entry in batch], attempt.result())
        elif len(batch) > 1 and not isinstance(error, StoreBusy):
            for entry in batch:
                await self._commit([entry])
        else:  # alone, or shut out by a lock that the next attempt would only wait for again
            tell([entry.result for entry in batch], [error] * len(batch))

    async def _transaction(self, jobs: Sequence[Job[object]]) -> list[object]:
        with translated():
            return await self._engine.transaction(jobs)


def _taken(row: deque[Entry[object]], most: int) -> list[Entry[object]]:
    return [row.popleft() for _ in range(min(len(row), most))]
