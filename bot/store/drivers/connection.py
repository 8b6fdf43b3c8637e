"""What a job of the store may do with its connection, whichever driver stands behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, TypeVarTuple, overload

import sqlalchemy as sa
from sqlalchemy.sql.selectable import TypedReturnsRows

T = TypeVar("T")
P = ParamSpec("P")
Ts = TypeVarTuple("Ts")

Rows: TypeAlias = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Connection(Protocol):
    """The part of SQLAlchemy's `AsyncConnection` that jobs use."""

    @property
    def dialect(self) -> sa.Dialect:
        """Which database it is."""

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Ts], parameters: Rows | None = None
    ) -> sa.CursorResult[*Ts]: ...
    @overload
    async def execute(
        self, statement: sa.Executable, parameters: Rows | None = None
    ) -> sa.CursorResult[*tuple[Any, ...]]: ...
    async def execute(
        self, statement: sa.Executable, parameters: Rows | None = None
    ) -> sa.CursorResult[*tuple[Any, ...]]:
        """Carry out a statement."""

    @overload
    async def scalar(
        self, statement: TypedReturnsRows[T], parameters: Mapping[str, Any] | None = None
    ) -> T | None: ...
    @overload
    async def scalar(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
    ) -> Any: ...  # noqa: ANN401 (as SQLAlchemy types it)
    async def scalar(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
    ) -> Any:
        """The first column of the first row."""

    async def exec_driver_sql(self, statement: str) -> sa.CursorResult[*tuple[Any, ...]]:
        """Carry out SQL in the driver's own words."""

    async def run_sync(
        self, fn: Callable[Concatenate[sa.Connection, P], T], *arg: P.args, **kw: P.kwargs
    ) -> T:
        """Hand the plain connection to code that is not asynchronous."""


async def exists(connection: Connection, *which: sa.ColumnElement[bool] | sa.TextClause) -> bool:
    """Whether there is a row, or are rows together, for which all these conditions hold."""
    return bool(await connection.scalar(sa.select(sa.exists().where(*which))))


class DirectConnection:
    """`Connection` over a driver that blocks: nothing ever waits."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> sa.Dialect:
        return self._connection.dialect

    async def execute(
        self, statement: sa.Executable, parameters: Rows | None = None
    ) -> sa.CursorResult[*tuple[Any, ...]]:
        return self._connection.execute(statement, parameters)

    async def scalar(
        self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None
    ) -> Any:  # noqa: ANN401 (as SQLAlchemy types it)
        return self._connection.scalar(statement, parameters)

    async def exec_driver_sql(self, statement: str) -> sa.CursorResult[*tuple[Any, ...]]:
        return self._connection.exec_driver_sql(statement)

    async def run_sync(
        self, fn: Callable[Concatenate[sa.Connection, P], T], *arg: P.args, **kw: P.kwargs
    ) -> T:
        return fn(self._connection, *arg, **kw)
