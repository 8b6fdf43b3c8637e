"""The database behind the core's ports. Rows never leave this folder.

* The way to the database: `database` opens it and runs jobs, through a writer and an engine of
  `drivers`; `drivers.batches` carries out many requests of one kind at once.
* The tables: `schema`, with types from `columns`, JSON from `codec`, brought up by `migrate`.
* The ports: `queue` holds the turns; each other port is a class of a module, put together in
  `opening`.
* For operators: `settings`, `health` (`bot check`), `admin` (`bot db`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.core.limits.calendar import UTC_CALENDAR, Calendar
from bot.store.settings import StorageSettings

if TYPE_CHECKING:
    from bot.core.ports import Clock
    from bot.core.stores import Stores
    from bot.core.types import Finding

__all__ = ["StorageSettings", "check", "open_store"]


@asynccontextmanager
async def open_store(
    settings: StorageSettings,
    *,
    waiting_per_chat: int = 20,
    waiting_in_all: int = 1000,
    lease: float = 30.0,
    clock: Clock | None = None,
    calendar: Calendar = UTC_CALENDAR,
) -> AsyncIterator[Stores]:
    """Open the database, migrated to this version, for one running bot.

    Raises `StoreBroken` for a damaged or foreign database (it is not touched), `StoreBusy` when
    another bot uses the SQLite file, `StoreError` for anything else that keeps it shut.
    """
    # SQLAlchemy is loaded here: who reads the configuration does without.
    from bot.core.clock import SystemClock
    from bot.store.opening import opened
    from bot.store.queue.intake import Rules
    from bot.store.queue.presence import new_owner

    rules = Rules(per_chat=waiting_per_chat, in_all=waiting_in_all, owner=new_owner(), lease=lease)
    async with opened(settings, rules, clock or SystemClock(), calendar) as stores:
        yield stores


async def check(settings: StorageSettings) -> Sequence[Finding]:
    """Look at the database without changing it."""
    from bot.store.health import look

    return await look(settings)
