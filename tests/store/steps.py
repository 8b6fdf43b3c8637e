"""What SQLite's work costs, in steps of its machine: the same on every computer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event


@contextmanager
def counting_steps() -> Iterator[Callable[[], int]]:
    """Inside the block, what says how many hundreds of instructions were carried out."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    def count_steps(connection: object, record: object) -> None:
        if isinstance(connection, sqlite3.Connection):  # else it migrates
            connection.set_progress_handler(step, 100)

    event.listen(sa.Engine, "connect", count_steps)
    try:
        yield lambda: steps
    finally:
        event.remove(sa.Engine, "connect", count_steps)


def multiply(file: Path, table: str, which: str, count: int) -> None:
    """As if there were so many of one row."""
    with closing(sqlite3.connect(file)) as connection, connection:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        rest = ", ".join(name for name in names if name not in ("id", "key"))
        key, value = ("key, ", "'old' || i, ") if "key" in names else ("", "")
        connection.execute(
            f"""INSERT INTO {table} ({key}{rest})
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
            SELECT {value}{rest} FROM {table}, n WHERE {which}""",
            (count,),
        )
