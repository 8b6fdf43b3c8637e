"""Jobs of one kind that come in the same moment, carried out together with a few statements.

A statement costs more than a row. When a crowd writes at once, a third of the time until the first
answers stood went into what the database did for each chat alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeAlias, TypeVar

from bot.errors import StoreBusy, StoreError
from bot.store.connection import Connection
from bot.store.engines import Job, tell

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

Together: TypeAlias = Callable[
    [Connection, Sequence[Item]], Awaitable[Sequence[Result | StoreError]]
]
"""Does for all what was asked for, in that order; returns what came of each."""

MOST = 128
"""So many are carried out together at most: the first of them waits for the last."""


class Carrier(Protocol):
    """Carries out a job of the database; until `begun` is called, it may be given more to do."""

    def __call__(self, job: Job[T], *, begun: Callable[[], None]) -> asyncio.Future[T]:
        """What the job returns is there at its end; the future raises `StoreError`."""


@dataclass(slots=True)
class _Row(Generic[Item, Result]):
    items: list[Item] = field(default_factory=list)
    results: list[asyncio.Future[Result]] = field(default_factory=list)


class Gathering(Generic[Item, Result]):
    """Collects what is asked for until the database has time for it; `most` is how much."""

    def __init__(
        self, carry_out: Carrier, together: Together[Item, Result], *, most: int = MOST
    ) -> None:
        self._carry_out = carry_out
        self._together = together
        self._most = most
        self._open: _Row[Item, Result] | None = None

    def ask(self, item: Item) -> asyncio.Future[Result]:
        """Have something done; what came of it is there at its end.

        The future raises `StoreError`.
        """
        row = self._open
        if row is None or len(row.items) >= self._most:
            row = self._open = _Row()
            self._hand_in(row)
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        row.items.append(item)
        row.results.append(result)
        return result

    def _hand_in(self, row: _Row[Item, Result]) -> None:
        def begun() -> None:
            if self._open is row:
                self._open = None

        def ended(job: asyncio.Future[Sequence[Result | StoreError]]) -> None:
            begun()  # it may have failed before: with no connection it never begins
            if job.cancelled():  # the bot is leaving, and so is everybody who waits
                for result in row.results:
                    result.cancel()
                return
            error = job.exception()
            if error is None:
                tell(row.results, job.result())
            elif len(row.items) == 1 or isinstance(error, StoreBusy):
                tell(row.results, [error] * len(row.items))
            else:  # one that cannot be carried out takes nobody along
                for item, result in zip(row.items, row.results, strict=True):
                    self._hand_in(_Row([item], [result]))

        job = self._carry_out(lambda connection: self._together(connection, row.items), begun=begun)
        job.add_done_callback(ended)
