"""Logging of the process, on standard error.

Code logs a constant phrase with `logging.getLogger(__name__)` and puts data into `extra`, which
become fields here. Text for people, by structlog, on a terminal; one JSON object per line
elsewhere. Secrets are blacked out of the finished line, so that a message, a field and a traceback
are covered alike; and so are signs that would drive the terminal on which it is read.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterable, Iterator, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TextIO
from urllib.parse import quote

from bot.core.types import ChatRef, MessageRef
from bot.tracebacks import format_exception

if TYPE_CHECKING:
    from structlog.typing import ExcInfo

BLACKED_OUT = "***"

_PATTERNS = (
    (r"bot\d", r"(?<=bot)\d+:[\w-]+"),  # https://api.telegram.org/bot<token>/METHOD
    (r":[\w-]{30}", r"\b\d{8,}:[\w-]{30,}"),  # a Telegram token by itself
    ("xox", r"\bxox[a-z]-[\w-]+"),  # Slack's tokens of bots and people
    ("xapp-", r"\bxapp-[\w-]+"),
    ("sk-", r"\bsk-[\w-]{8,}"),  # keys in OpenAI's style
    ("Bearer ", r"(?<=Bearer )[^\s\"',\\]+"),
    ("Basic ", r"(?<=Basic )[A-Za-z0-9+/]{8,}={0,2}"),  # a proxy's user and password
)
"""A sign of each kind of token, which is quick to look for and which most lines have none of; and
what is blacked out."""


_DRIVING = re.compile(
    "\x1b(?!\\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
)
"""What a terminal would obey, but for the colours of our own lines."""


def _seen(text: str) -> str:
    """The text with escapes, as in JSON, in place of signs that nobody sees."""
    return _DRIVING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Redactor:
    """Blacks out known secrets and everything that looks like a token."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets if len(secret) >= 4 for form in _forms(secret)}
        longest_first = [re.escape(form) for form in sorted(known, key=len, reverse=True)]
        signs, patterns = zip(*_PATTERNS, strict=True)
        self._sign = re.compile("|".join((*longest_first, *signs)))
        self._pattern = re.compile("|".join((*longest_first, *patterns)))

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        if self._sign.search(text) is None:
            return text
        return self._pattern.sub(BLACKED_OUT, text)


def _forms(secret: str) -> set[str]:
    """A secret as it looks in plain text, inside a URL, in JSON and in a `repr`."""
    plain = (secret, repr(secret)[1:-1], quote(secret, safe=""))
    return {*plain, *(json.dumps(form, ensure_ascii=False)[1:-1] for form in plain)}


class CurrentStderrHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is now: a prompt replaces it while it draws."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # the base class keeps the first one
        """Standard error as it is at this moment."""
        return sys.stderr


def configure_logging(
    *,
    level: str = "info",
    style: Literal["auto", "text", "json"] = "auto",
    secrets: Iterable[str] = (),
) -> None:
    """Send all logging to standard error; other packages speak from WARNING up."""
    handler = CurrentStderrHandler()
    terminal, quoting = sys.stderr.isatty(), level == "debug"
    handler.setFormatter(formatter(style, Redactor(secrets), terminal=terminal, quoting=quoting))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("bot").setLevel(level.upper())
    logging.captureWarnings(True)
    sys.excepthook = _log_crash


def formatter(
    style: Literal["auto", "text", "json"],
    redact: Redactor,
    *,
    terminal: bool,
    quoting: bool = False,
) -> logging.Formatter:
    """Render records as text (coloured on a terminal) or JSON, secrets blacked out.

    Exceptions say what may quote people only when `quoting`.
    """
    if style == "text" or (style == "auto" and terminal):
        return _text(redact, colors=terminal, quoting=quoting)
    return JsonFormatter(redact, quoting=quoting)


class JsonFormatter(logging.Formatter):
    """One JSON object per line: `event`, the fields, and who said it when.

    `timestamp` is in UTC; `exception` is a traceback, where there is one.
    """

    def __init__(self, redact: Redactor, *, quoting: bool) -> None:
        super().__init__()
        self._redact = redact
        self._quoting = quoting
        self._encode = json.JSONEncoder(ensure_ascii=False, default=str).encode

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
        entry = {"event": record.getMessage(), **dict(_fields(record))}
        entry["level"], entry["logger"] = record.levelname.lower(), record.name
        entry["timestamp"] = f"{moment.isoformat(timespec='microseconds')}Z"
        if record.exc_info and (error := record.exc_info[1]) is not None:
            entry["exception"] = format_exception(error, quoting=self._quoting)
        return self._redact(_seen(self._encode(entry)))


def _text(redact: Redactor, *, colors: bool, quoting: bool) -> logging.Formatter:
    # Only where somebody reads along: it brings rich, pygments and greenlet, 7 MB together.
    import structlog

    def add_fields(
        _logger: object, _name: str, entry: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        for key, value in _fields(entry["_record"]):  # colours are ours only
            entry[key] = value.replace("\x1b", "\\u001b") if isinstance(value, str) else value
        return entry

    def redacted(_logger: object, _name: str, line: str) -> str:
        return redact(_seen(line))

    def write_exception(lines: TextIO, info: ExcInfo) -> None:
        lines.write("\n" + format_exception(info[1], quoting=quoting))

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            add_fields,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(
                colors=colors,
                exception_formatter=write_exception,
            ),
            redacted,  # type: ignore[list-item]  # runs on the finished line, not on the fields
        ],
    )


_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; everything else came in `extra`."""


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    """What was given as `extra`; a field named like the phrase itself gets an underscore."""
    for key, value in vars(record).items():
        if key not in _RECORD:
            yield f"{key}_" if key == "event" else key, _plain(value)


def _plain(value: object) -> object:
    """A chat as `platform:id`, a message as `platform:chat:id`."""
    match value:
        case ChatRef():
            return f"{value.platform}:{value.id}"
        case MessageRef():
            return f"{value.chat.platform}:{value.chat.id}:{value.id}"
    return value


def _log_crash(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """A bug that ends the process is logged like everything else: without secrets."""
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("bot").critical("crashed", exc_info=(kind, error, traceback))
