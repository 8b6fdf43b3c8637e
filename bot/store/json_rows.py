"""Rows that are handed to a statement as one parameter in JSON, for batches.

With a parameter for each value, every number of rows would be a statement of its own, which
SQLAlchemy would have to compile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from bot.store.columns import storable


def select_rows(dialect: str, parameter: str, columns: Mapping[str, str]) -> str:
    """SQL that selects the rows in a parameter: columns with their SQL types, and `number`."""
    if dialect == "sqlite":
        place, value = f"json_each(:{parameter}) AS given", "json_extract(given.value, '$.{name}')"
    else:
        place = (
            f"json_array_elements(CAST(:{parameter} AS json)) WITH ORDINALITY AS given (value, key)"
        )
        value = "given.value ->> '{name}'"
    typed = [
        f"CAST({value.format(name=name)} AS {kind}) AS {name}" for name, kind in columns.items()
    ]
    return f"SELECT given.key AS number, {', '.join(typed)} FROM {place}"


def rows_of(dialect: str, parameter: str, columns: Mapping[str, str]) -> sa.Subquery:
    """The same as a subquery for SQLAlchemy."""
    query = sa.text(select_rows(dialect, parameter, columns))
    return query.columns(*(sa.column(name) for name in (*columns, "number"))).subquery("new")


def as_json(rows: Sequence[Mapping[str, str | int]]) -> str:
    """The value of the parameter."""
    clean = [
        {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}
        for row in rows
    ]
    return json.dumps(clean, ensure_ascii=False)
