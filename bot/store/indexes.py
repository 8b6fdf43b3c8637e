"""Indexes of some rows only, said once for both databases.

SQLAlchemy has an option per dialect for this, and loads the dialect to look it up: 2.5 MB of
PostgreSQL for a bot that has SQLite.
"""

from __future__ import annotations

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.compiler import DDLCompiler


def where(condition: str) -> dict[str, str]:
    """For `info` of an index: the rows that are in it, in SQL."""
    return {"where": condition}


@compiles(CreateIndex)
def _create(create: CreateIndex, compiler: DDLCompiler, **options: object) -> str:
    statement: str = compiler.visit_create_index(create, **options)  # type: ignore[no-untyped-call]
    condition = create.element.info.get("where")
    return f"{statement} WHERE {condition}" if condition else statement
