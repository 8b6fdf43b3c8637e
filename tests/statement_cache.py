"""SQL is compiled once for all tests: each opens databases of its own, and would compile its own.

SQLAlchemy keeps what it compiled per engine, and that is right for a bot, which has few. Of what a
test of the engine takes, a third went into compiling the same twenty statements again.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Compiled


class _StatementCache(dict[tuple[object, ...], Compiled]):
    """Compiled statements by what they say, for all dialects of a kind in place of a single one.

    Tests have one version of each database and configure their dialects alike, so that what was
    compiled for one is right for the others. The dialect comes first in the keys.
    """

    def get(self, key: tuple[object, ...]) -> Compiled | None:  # type: ignore[override]  # as asked
        return super().get(_of_kind(key))

    def __setitem__(self, key: tuple[object, ...], compiled: Compiled) -> None:
        super().__setitem__(_of_kind(key), compiled)


def _of_kind(key: tuple[object, ...]) -> tuple[object, ...]:
    dialect, *statement = key
    return (type(dialect), *statement)


def share() -> None:
    """Let all engines of this process use one cache.

    https://docs.sqlalchemy.org/en/21/core/connections.html#using-alternate-dictionaries
    """
    cache = _StatementCache()

    def use(connection: sa.Connection) -> None:
        connection.execution_options(compiled_cache=cache)

    event.listen(sa.Engine, "engine_connect", use)
