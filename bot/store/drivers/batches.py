"""Requests of one kind that come in the same moment, carried out together with a few statements.

A statement costs more than a row: with a crowd writing at once, a third of the time until the first
answers stand would be what the database does for each chat alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeAlias, TypeVar

from bot.errors import StoreBusy, StoreError
from bot.store.drivers.connection import Connection
from bot.store.drivers.engines import Job, OnStart, resolve

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

CarryOut: TypeAlias = Callable[
    [Connection, Sequence[Item]], Awaitable[Sequence[Result | StoreError]]
]
"""Carries out a batch in one job; returns a result, or the error, for each item in order."""

MOST = 128
"""Items in a batch at most: the first of them waits for the last."""


class Submit(Protocol):
    """Hands a job to the database: `Database.submit_write` or `submit_read`."""

    def __call__(self, job: Job[T], *, on_start: OnStart) -> asyncio.Future[T]:
        """The future has what the job returns, or raises `StoreError`."""


@dataclass(slots=True)
class _Batch(Generic[Item, Result]):
    items: list[Item] = field(default_factory=list)
    results: list[asyncio.Future[Result]] = field(default_factory=list)


class Batches(Generic[Item, Result]):
    """Collects items until the database has time for them, `most` of them in a batch."""

    def __init__(
        self, submit: Submit, carry_out: CarryOut[Item, Result], *, most: int = MOST
    ) -> None:
        self._submit = submit
        self._carry_out = carry_out
        self._most = most
        self._open: _Batch[Item, Result] | None = None

    def add(self, item: Item) -> asyncio.Future[Result]:
        """Add an item to the batch that is carried out next; the future raises `StoreError`."""
        batch = self._open
        if batch is None or len(batch.items) >= self._most:
            batch = self._open = _Batch()
            self._start(batch)
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        batch.items.append(item)
        batch.results.append(result)
        return result

    def _start(self, batch: _Batch[Item, Result]) -> None:
        def close() -> None:
            if self._open is batch:
                self._open = None

        def ended(job: asyncio.Future[Sequence[Result | StoreError]]) -> None:
            close()  # with no connection the job fails before it starts
            if job.cancelled():  # the bot is leaving, and so is everybody who waits
                for result in batch.results:
                    result.cancel()
                return
            error = job.exception()
            if error is None:
                resolve(batch.results, job.result())
            elif len(batch.items) == 1 or isinstance(error, StoreBusy):
                resolve(batch.results, [error] * len(batch.items))
            else:  # the others succeed without the one that cannot be carried out
                for item, result in zip(batch.items, batch.results, strict=True):
                    self._start(_Batch([item], [result]))

        job = self._submit(
            lambda connection: self._carry_out(connection, batch.items), on_start=close
        )
        job.add_done_callback(ended)
