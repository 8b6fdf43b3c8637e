"""Understands a typed line: words, or a file to send (`/voice FILE`, `/photo FILE words`)."""

from __future__ import annotations

import io
import mimetypes
import shlex
from dataclasses import dataclass
from gettext import NullTranslations
from pathlib import Path

from bot.core.i18n import N_
from bot.core.punctuation import narrow
from bot.core.types import Attachment, CommandInfo, FileId, FileKind

FILE_COMMANDS = {"/voice": FileKind.VOICE, "/photo": FileKind.IMAGE, "/file": FileKind.DOCUMENT}
"""What a terminal needs because nothing can be dragged into it."""

VOICE_WORDS = ("", "answer", "transcribe", "off")
"""Behind `/voice` these are no files: it is the command that chooses what is done with them."""

FILE_COMMAND_INFOS = (
    CommandInfo(name="voice", summary=N_("Send a recording"), usage="FILE"),
    CommandInfo(name="photo", summary=N_("Send a picture"), usage="FILE [WORDS]"),
    CommandInfo(name="file", summary=N_("Send a file"), usage="FILE [WORDS]"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What is to be sent."""

    text: str
    attachments: tuple[Attachment, ...] = ()


class Mistake(Exception):
    """The line cannot be sent; the text says why."""


def understand(line: str, texts: NullTranslations) -> Typed:
    """Turn a line into a message. Raises `Mistake`."""
    command, _, rest = line.strip().partition(" ")
    command = narrow(command)
    kind = FILE_COMMANDS.get(command)
    if kind is None or (kind is FileKind.VOICE and rest.strip() in VOICE_WORDS):
        return Typed(text=line)
    name, caption = _first_word(rest.strip())
    if not name:
        text = texts.gettext("Which file? For example: {command} {name}")
        example = {"/voice": "question.ogg", "/photo": "cat.jpg"}.get(command, "notes.txt")
        raise Mistake(text.format(command=command, name=example))
    path = Path(name).expanduser()
    if not path.is_file():
        raise Mistake(texts.gettext("There is no file “{name}”.").format(name=name))
    attachment = Attachment(
        id=FileId(str(path.resolve())),
        kind=kind,
        mime=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        size=path.stat().st_size,
        name=path.name,
    )
    return Typed(text=caption, attachments=(attachment,))


def path_of(attachment: Attachment) -> Path:
    """Where the file of an attachment made here lies."""
    return Path(attachment.id)


def _first_word(text: str) -> tuple[str, str]:
    """The first word, which may be quoted or hold escaped spaces, and what follows it.

    An existing file whose name has spaces needs no quotes.
    """
    if Path(text).expanduser().is_file():
        return text, ""
    rest = io.StringIO(text)
    lexer = shlex.shlex(rest, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        word = lexer.get_token() or ""
    except ValueError:  # a quote that is never closed
        return text, ""
    return word, rest.read().strip()
