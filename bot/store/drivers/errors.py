"""What the database drivers raise, as the errors of the border."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.core.i18n import N_
from bot.core.phrases import Phrase, placed
from bot.errors import StoreBroken, StoreBusy, StoreError, StoreFull, StoreRefused

# https://www.sqlite.org/rescode.html ; the low byte is the primary code.
_SQLITE_ERRORS: dict[int, tuple[type[StoreError], str]] = {
    sqlite3.SQLITE_BUSY: (StoreBusy, N_("the database is locked by another process")),
    sqlite3.SQLITE_LOCKED: (StoreBusy, N_("the database is locked")),
    sqlite3.SQLITE_FULL: (StoreFull, N_("the disk or the database is full")),
    sqlite3.SQLITE_CONSTRAINT: (StoreRefused, N_("it contradicts what is in the database")),
    sqlite3.SQLITE_TOOBIG: (StoreRefused, N_("it is too large for the database")),
    sqlite3.SQLITE_CORRUPT: (StoreBroken, N_("the database file is damaged")),
    sqlite3.SQLITE_NOTADB: (StoreBroken, N_("the file is not a SQLite database")),
    sqlite3.SQLITE_READONLY: (StoreError, N_("the database file or its folder is read-only")),
    sqlite3.SQLITE_CANTOPEN: (StoreError, N_("the database file cannot be opened or created")),
    sqlite3.SQLITE_PERM: (StoreError, N_("the database file may not be opened")),
    sqlite3.SQLITE_IOERR: (StoreError, N_("the disk failed while the database was using it")),
}

SHARED = N_(
    "a pooler before the database server shares connections between transactions, so bots could "
    "not hear of each other; set storage.url to the server itself, or to a pooler in session mode"
)
"""Also what is wrong where a statement that was just prepared is unknown, or its name is taken."""

READ_ONLY = "25006"
# https://www.postgresql.org/docs/current/errcodes-appendix.html ; longest prefix first.
_POSTGRES_ERRORS: tuple[tuple[str, type[StoreError], str], ...] = (
    ("53100", StoreFull, N_("the database server's disk is full")),
    ("53", StoreBusy, N_("the database server has no room for another connection")),
    ("55P03", StoreBusy, N_("the database is locked by another process")),
    ("57014", StoreBusy, N_("the database took too long to answer")),
    ("57P", StoreBusy, N_("the database server is starting or shutting down")),
    (READ_ONLY, StoreError, N_("the database is read-only")),
    # Two that wait for each other: when each of a batch goes alone, it gets through.
    ("40", StoreError, N_("another process changed the same rows")),
    ("22", StoreRefused, N_("it does not fit into the database")),
    ("23", StoreRefused, N_("it contradicts what is in the database")),
    ("26000", StoreError, SHARED),
    ("42P05", StoreError, SHARED),
    ("08", StoreBusy, N_("the connection to the database server broke")),
    ("28", StoreError, N_("the database server refuses the user or the password")),
    ("3D", StoreError, N_("the database does not exist on the server")),
    ("42501", StoreError, N_("the database user may not do this")),
    ("XX001", StoreBroken, N_("the database is damaged; restore a backup")),
    ("XX002", StoreBroken, N_("an index of the database is damaged; REINDEX it")),
)

_FAILED = N_("the database failed")

_MISFITS = (OverflowError, ValueError)
"""What drivers raise for a value that no column takes, before the database sees it."""


def translate(error: Exception) -> StoreError:
    """The error of the border that says the same as a driver's error."""
    cause = error.orig if isinstance(error, StatementError) else error
    if isinstance(cause, _MISFITS) or isinstance(getattr(cause, "__cause__", None), _MISFITS):
        return StoreRefused(Phrase("it does not fit into the database"))
    if isinstance(cause, sqlite3.Error):
        # Errors that Python's own module raises carry no code.
        code = getattr(cause, "sqlite_errorcode", None)
        kind, text = _SQLITE_ERRORS.get((code or 0) & 0xFF, (StoreError, _FAILED))
        return kind(_noted(text, str(cause)))
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        for prefix, kind, text in _POSTGRES_ERRORS:
            if state.startswith(prefix):
                # A pooler says so, too, with its reason, and nothing that stands in a row.
                why = f"{_first_line(cause)}; {state}" if prefix == "08" else state
                return kind(_noted(text, why))
    if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
        return StoreFull(Phrase("the disk is full"))
    if isinstance(cause, (PoolTimeout, TimeoutError)):
        return StoreBusy(Phrase("the database took too long to answer"))
    is_lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if isinstance(cause, OSError) or is_lost:
        return StoreBusy(Phrase("the database server does not answer"))
    # The first line says what failed; the others, on PostgreSQL, quote values of the row.
    return StoreError(_noted(_FAILED, _first_line(cause)))


def _noted(text: str, note: str) -> Phrase:
    return Phrase("{text} ({note})", text=Phrase(text), note=note)


def _first_line(error: BaseException | None) -> str:
    return str(error).partition("\n")[0]


@contextmanager
def translated() -> Iterator[None]:
    """Whatever the drivers raise inside the block leaves it as a `StoreError`."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, OverflowError) as error:
        raise translate(error) from error


@contextmanager
def located(place: str) -> Iterator[None]:
    """A `StoreError` inside the block says where it was: which database, or which file."""
    try:
        yield
    except StoreError as error:
        raise type(error)(placed(place, error)) from error
