"""Column types that mean the same on SQLite and on PostgreSQL, and the database's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_PICO = 1_000_000_000_000

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""64 bits on both: only INTEGER PRIMARY KEY numbers the rows itself on SQLite."""


def storable(text: str) -> str:
    """A text without what a database cannot hold.

    PostgreSQL refuses NUL and both refuse half a surrogate pair: these become U+FFFD.
    """
    if text.isascii() and "\x00" not in text:
        return text
    clean = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return clean.replace("\x00", "\ufffd")


class Words(sa.types.TypeDecorator[str]):
    """Text as people send it, as far as a database can hold it."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Replace what a database cannot hold."""
        return None if value is None else storable(value)


class Utc(sa.types.TypeDecorator[datetime]):
    """An instant; aware and in UTC on the Python side. SQLite keeps it as text without a zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """To UTC."""
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Aware again."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Dollars(sa.types.TypeDecorator[Decimal]):
    """US dollars, exact: kept as a whole number of 10⁻¹² dollars.

    Prices per million tokens with six decimals come out even per token; SQLite's NUMERIC is a
    floating-point number.
    """

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> int | None:
        """To a whole number, rounded half to even."""
        return None if value is None else int((value * _PICO).to_integral_value())

    def process_result_value(
        self, value: int | Decimal | None, dialect: sa.Dialect
    ) -> Decimal | None:
        """Back to dollars. PostgreSQL sums whole numbers up to a NUMERIC."""
        return None if value is None else Decimal(value) / _PICO


class utc_now(FunctionElement[datetime]):
    """The database's clock, `seconds` from now."""

    type = Utc()
    inherit_cache = True

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(sa.literal(float(seconds), sa.Double()))


@compiles(utc_now, "sqlite")
def _sqlite_now(element: utc_now, compiler: SQLCompiler, **options: object) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f', 'now', ({seconds}) || ' seconds')"


@compiles(utc_now, "postgresql")
def _postgres_now(element: utc_now, compiler: SQLCompiler, **options: object) -> str:
    seconds = compiler.process(element.clauses, **options)
    return f"clock_timestamp() + make_interval(secs => {seconds})"
