"""One bot per SQLite file: two would answer each other's messages, and answer them twice.

The lock is SQLite's own, on an empty file beside the database. The operating system lets go of
it the moment the process is gone, however it went.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bot.core.phrases import Phrase, placed
from bot.errors import StoreBusy, StoreError
from bot.store.database import begin_file
from bot.store.drivers.errors import translated


@contextmanager
def sole_owner(database: Path) -> Iterator[None]:
    """Nobody else uses the database for a bot while the block runs.

    Raises `StoreBusy` when somebody does.
    """
    file = _lock_of(database)
    begin_file(file)  # else another user of the machine could hold the lock
    with translated():
        lock = sqlite3.connect(file, isolation_level=None, timeout=0)
    with closing(lock):
        try:
            with translated():
                lock.execute("BEGIN EXCLUSIVE")
        except StoreBusy as error:
            taken = Phrase(
                "another bot is running with {file}; stop it, or give this one a database of its "
                "own (storage.url)",
                file=database,
            )
            raise StoreBusy(taken) from error
        except StoreError as error:  # the disk is full, or the folder read-only
            raise type(error)(placed(f"SQLite {database}", error)) from error
        yield


def is_owned(database: Path) -> bool:
    """Whether a bot runs with the database. Raises `StoreError`."""
    file = _lock_of(database)
    if not file.exists():
        return False
    try:
        with translated(), closing(sqlite3.connect(file, timeout=0)) as lock:
            lock.execute("SELECT 1 FROM sqlite_schema")
    except StoreBusy:
        return True
    return False


def _lock_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-owner")
