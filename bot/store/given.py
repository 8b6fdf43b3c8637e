"""Rows that are handed to a statement as one JSON value, for what is done to many at once.

A list of parameters of any length would be another statement each time, which SQLAlchemy would put
together anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from bot.store.columns import storable


def select_given(dialect: str, parameter: str, columns: Mapping[str, str]) -> str:
    """The query for the rows in a parameter; each column with its SQL type, and their `number`."""
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


def given(dialect: str, parameter: str, columns: Mapping[str, str]) -> sa.Subquery:
    """The same rows for a statement of SQLAlchemy."""
    query = sa.text(select_given(dialect, parameter, columns))
    return query.columns(*(sa.column(name) for name in (*columns, "number"))).subquery("new")


def as_given(rows: Sequence[Mapping[str, str | int]]) -> str:
    """The rows as the value of the parameter."""
    clean = [
        {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}
        for row in rows
    ]
    return json.dumps(clean, ensure_ascii=False)
