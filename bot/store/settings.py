"""Where the database is: the table `storage` of the configuration."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

_SQLITE = "sqlite"
_POSTGRES = "postgresql+asyncpg"
_SCHEMES = {
    _SQLITE: _SQLITE,
    "sqlite+aiosqlite": _SQLITE,
    "postgres": _POSTGRES,
    "postgresql": _POSTGRES,
    _POSTGRES: _POSTGRES,
}
_POSTGRES_OPTIONS = {"host": "host", "port": "port", "ssl": "ssl", "sslmode": "ssl"}
"""Options that may follow the `?`, and their names in asyncpg."""

_FORMS = "use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE"
_ESCAPES = "in a password write / as %2F, ? as %3F, # as %23, [ as %5B, ] as %5D"
_PORT = "the port of the database URL must be a number up to 65535"


class StorageSettings(BaseModel):
    """Where the database is. `sqlite:///FILE` and `postgresql://…` name their drivers themselves.

    `busy_timeout` is how many seconds a call waits for a lock that somebody else holds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(default=f"{_SQLITE}:///chinwag.db", repr=False)  # may hold a password
    busy_timeout: float = Field(default=5.0, gt=0, le=300)

    @field_validator("url")
    @classmethod
    def _known_form(cls, url: str) -> str:
        scheme, separator, _ = url.partition("://")
        if not separator:
            raise ValueError(f"this is not a database URL; {_FORMS}")
        if scheme not in _SCHEMES:
            raise ValueError(f"the database {scheme!r} is not supported; {_FORMS}")
        try:
            parts = urlsplit(url)._replace(scheme=_SCHEMES[scheme])
        except ValueError:  # its text may show a part of the password
            raise ValueError(f"this is not a database URL; {_FORMS}; {_ESCAPES}") from None
        return _sqlite(parts) if parts.scheme == _SQLITE else _postgres(parts)

    @property
    def sqlite_file(self) -> Path | None:
        """The database file; None when the database is PostgreSQL."""
        if not self.url.startswith(_SQLITE):
            return None
        return Path(self.url.partition(":///")[2])

    @property
    def place(self) -> str:
        """What to call the database in a message: never with a password."""
        if self.sqlite_file is not None:
            return f"SQLite {self.sqlite_file}"
        parts = urlsplit(self.url)
        host = parts.hostname or dict(parse_qsl(parts.query)).get("host", "localhost")
        return f"PostgreSQL {host}{parts.path}"


def _sqlite(parts: SplitResult) -> str:
    if "@" in parts.netloc:  # which is not shown: it may hold a password
        raise ValueError(f"a SQLite file has no user and password; {_FORMS}")
    if parts.netloc:
        raise ValueError(
            f"a SQLite file needs three slashes, four when the path is absolute: "
            f"sqlite:///{parts.netloc}{parts.path}"
        )
    file = parts.path.removeprefix("/")
    if file in ("", ":memory:") or parts.query:
        raise ValueError("a database in memory forgets everything; name a file: sqlite:///FILE")
    return f"{_SQLITE}:///{file}"


def _postgres(parts: SplitResult) -> str:
    if "@" in parts.path + parts.query + parts.fragment:  # the password has ended the host early
        raise ValueError(_ESCAPES)
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(_PORT) from None
    if not parts.path.strip("/"):
        raise ValueError("the database's name is missing: postgresql://USER:PASSWORD@HOST/DATABASE")
    options = {}
    for name, value in parse_qsl(parts.query):
        if name not in _POSTGRES_OPTIONS:
            known = ", ".join(_POSTGRES_OPTIONS)
            raise ValueError(f"the option {name!r} of the database URL is unknown; known: {known}")
        if name == "port" and not (value.isdecimal() and int(value) <= 65_535):
            raise ValueError(_PORT)
        options[_POSTGRES_OPTIONS[name]] = value
    return parts._replace(query=urlencode(options)).geturl()
