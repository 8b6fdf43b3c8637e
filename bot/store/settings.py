"""Where the database is: the table `storage` of the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bot.core.phrases import Phrase, listed
from bot.core.upkeep import MOST_DAYS

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

_FORMS = Phrase("use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE")
_ESCAPES = Phrase("in a password write / as %2F, ? as %3F, # as %23, [ as %5B, ] as %5D")
_PORT = Phrase("the port of the database URL must be a number up to 65535")
_NO_URL = Phrase("{problem}; {advice}", problem=Phrase("this is not a database URL"), advice=_FORMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long something is kept; None: for ever.

    `events` are turns that are over, buttons, and single entries of what was used. `messages` are
    what people said and were answered.
    """

    events: timedelta | None
    messages: timedelta | None = None

    @property
    def shortest(self) -> timedelta | None:
        """How long an event is kept in any case: there are words in it, too."""
        return min((age for age in (self.events, self.messages) if age is not None), default=None)


class StorageSettings(BaseModel):
    """Where the database is. `sqlite:///FILE` and `postgresql://…` name their drivers themselves.

    `busy_timeout` is how many seconds a call waits for a lock that somebody else holds. What is
    older than `keep_days` and `keep_messages_days` is deleted; 0: nothing is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(default=f"{_SQLITE}:///chinwag.db", repr=False)  # may hold a password
    busy_timeout: float = Field(default=5.0, gt=0, le=300)
    keep_days: int = Field(default=30, ge=0, le=MOST_DAYS)
    keep_messages_days: int = Field(default=0, ge=0, le=MOST_DAYS)

    @field_validator("url")
    @classmethod
    def _known_form(cls, url: str) -> str:
        scheme, separator, _ = url.partition("://")
        if not separator:
            raise ValueError(_NO_URL)
        if scheme not in _SCHEMES:
            wrong = Phrase("the database “{name}” is not supported", name=scheme)
            raise ValueError(Phrase("{problem}; {advice}", problem=wrong, advice=_FORMS))
        try:
            in_file = _SCHEMES[scheme] == _SQLITE  # whose name may hold a #
            parts = urlsplit(url, allow_fragments=not in_file)._replace(scheme=_SCHEMES[scheme])
        except ValueError:  # its text may show a part of the password
            wrong = Phrase("{problem}; {advice}", problem=_NO_URL, advice=_ESCAPES)
            raise ValueError(wrong) from None
        return _sqlite(parts) if parts.scheme == _SQLITE else _postgres(parts)

    @property
    def sqlite_file(self) -> Path | None:
        """The database file; None when the database is PostgreSQL."""
        if not self.url.startswith(_SQLITE):
            return None
        return Path(self.url.partition(":///")[2])

    @property
    def keeping(self) -> Keeping:
        """How long something is kept."""
        events, messages = (
            timedelta(days=days) if days else None
            for days in (self.keep_days, self.keep_messages_days)
        )
        return Keeping(events=events, messages=messages)

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
        wrong = Phrase("a SQLite file has no user and password")
        raise ValueError(Phrase("{problem}; {advice}", problem=wrong, advice=_FORMS))
    if parts.netloc:
        wrong = Phrase(
            "a SQLite file needs three slashes, four when the path is absolute: {url}",
            url=f"sqlite:///{parts.netloc}{parts.path}",
        )
        raise ValueError(wrong)
    file = unquote(parts.path.removeprefix("/"))
    if file in ("", ":memory:") or parts.query:
        wrong = Phrase("a database in memory forgets everything; name a file: sqlite:///FILE")
        raise ValueError(wrong)
    return f"{_SQLITE}:///{file}"


def _postgres(parts: SplitResult) -> str:
    if "@" in parts.path + parts.query + parts.fragment:  # the password has ended the host early
        raise ValueError(_ESCAPES)
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(_PORT) from None
    if not parts.path.strip("/"):
        wrong = Phrase("the database's name is missing: postgresql://USER:PASSWORD@HOST/DATABASE")
        raise ValueError(wrong)
    options = {}
    for name, value in parse_qsl(parts.query):
        if name not in _POSTGRES_OPTIONS:
            known = listed(_POSTGRES_OPTIONS)
            wrong = Phrase(
                "the option “{name}” of the database URL is unknown; known are {names}",
                name=name,
                names=known,
            )
            raise ValueError(wrong)
        if name == "port" and not (value.isdecimal() and int(value) <= 65_535):
            raise ValueError(_PORT)
        options[_POSTGRES_OPTIONS[name]] = value
    return parts._replace(query=urlencode(options)).geturl()
