"""What a message of Slack holds: its words, the messages shared into it, and its files.

Pure: the directory answers from memory.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from bot.core.names import ABOUT_PEOPLE
from bot.core.types import Attachment, FileId, FileKind, Forward
from bot.platforms.slack.block_words import words_in
from bot.platforms.slack.calls import Json
from bot.platforms.slack.directory import STUB, Directory
from bot.platforms.slack.shared_messages import words_of, words_of_attachment

_TOKEN = re.compile(r"<([@#!])?([^<>|]*)(?:\|([^<>]*))?>")
"""A mention, a channel or a link, as Slack writes it into a text: `<@U1>`, `<https://…|label>`."""
_COMMAND = re.compile(r"\A[!！](?=[a-z])")
"""Chinese keyboards write the wide mark."""
_ABOUT_PEOPLE = re.compile(rf"(?:\A|>\s*)[!/！／]{ABOUT_PEOPLE}")
_GONE = frozenset({"tombstone", "hidden_by_limit"})
_CANVAS = "application/vnd.slack-docs"
_LINKS = frozenset({"external", "list"})
"""What is a file to Slack, but has no bytes there: a document of Google's that was linked, a list
(github.com/vercel/eve/issues/855)."""
_PREVIEW = frozenset({"from_url", "is_msg_unfurl", "is_share"})
"""What an attachment has that is a preview of a link, or a message shared into this one."""


def said_in(message: Json) -> str:
    """What a person wrote, as Slack writes text, and below it the table that they pasted.

    A piece of a spreadsheet stands in no text: Slack's apps make a block of it, in an attachment
    (github.com/openclaw/openclaw/issues/112229, github.com/vercel/chat/issues/803).
    """
    holders = (message, *_attached(message))
    blocks = (block for holder in holders for block in holder.get("blocks") or ())
    tables = words_in(block for block in blocks if block.get("type") == "table")
    return "\n\n".join(filter(None, (str(message.get("text") or ""), tables)))


def _attached(message: Json) -> Iterator[Json]:
    """What stands below the words of a message as a part of it."""
    for attachment in message.get("attachments") or ():
        if _PREVIEW.isdisjoint(attachment):
            yield attachment


def quoted(message: Json, directory: Directory) -> tuple[str, str]:
    """Who wrote a message, and what it says, with the messages that were shared into it.

    An app's words may stand anywhere in it.
    """
    profile = message.get("bot_profile") or {}
    author = profile.get("name") or message.get("username")
    own = (words_of(message), *map(words_of_attachment, _attached(message)))
    shared = (f"{each.author}: {each.text}" for each in forwards_of(message, directory))
    words = (plain("\n".join(filter(None, own)), directory), *shared)
    name = str(author or directory.sender(str(message.get("user") or "somebody")).name)
    return name, "\n".join(filter(None, words))


def plain(text: str, directory: Directory) -> str:
    """The words of a message: mentions as names, links as addresses, nothing escaped.

    In a command about people a mention stays as it is. That of the bot is taken out, and `!new`
    becomes `/new`: Slack takes no slash commands in threads.
    """
    by_id = _ABOUT_PEOPLE.search(text) is not None
    words = _TOKEN.sub(lambda found: _word(found, directory, by_id=by_id), text)
    words = html.unescape(words).strip()
    return _COMMAND.sub("/", words)


def mentioned_in(text: str) -> set[str]:
    """The people whom a text mentions."""
    return {found[2] for found in _TOKEN.finditer(text) if found[1] == "@"}


def _word(found: re.Match[str], directory: Directory, *, by_id: bool) -> str:
    kind, target, label = found[1], found[2], found[3]
    match kind:
        case "@" if target == directory.bot:
            return ""
        case "@":
            return f"<@{target}>" if by_id else f"@{label or directory.sender(target).name}"
        case "#":
            return f"#{label or target}"
        case "!":
            return label or "@" + target.partition("^")[0]
        case _:
            address = target.removeprefix("mailto:")
            return address if not label or label in address else f"{label} ({address})"


def forwards_of(message: Json, directory: Directory) -> Iterator[Forward]:
    """Messages that were shared into this one, and whose they are."""
    for shared in _shared(message):
        author = str(shared.get("author_name") or shared.get("author_subname") or "somebody")
        yield Forward(author=author, text=plain(words_of(shared), directory))


def _shared(message: Json) -> Iterator[Json]:
    """The messages that were shared into this one, as Slack tells them."""
    for attachment in message.get("attachments") or ():
        if attachment.get("is_share") or attachment.get("is_msg_unfurl"):
            yield attachment


def _files(message: Json) -> Iterator[Json]:
    for holder in (message, *_shared(message)):
        yield from holder.get("files") or ()


def stubs_in(message: Json) -> frozenset[str]:
    """The files of which an event tells the id only: they are from another workspace."""
    stubs = (f for f in _files(message) if f.get("file_access") == STUB)
    return frozenset(str(stub["id"]) for stub in stubs)


def attachments_of(message: Json, directory: Directory) -> tuple[Attachment, ...]:
    """The files of a message, and of the messages that were shared into it."""
    files = (directory.file(f["id"]) or f for f in _files(message))
    return tuple(_attachment(file) for file in files if file.get("mode") not in _GONE)


def _attachment(file: Json) -> Attachment:
    if file.get("mode") in _LINKS:
        title = str(file.get("title") or file.get("name") or "")
        kind, mime = FileKind.DOCUMENT, "text/uri-list"
        return Attachment(id=FileId(""), kind=kind, mime=mime, name=title)
    mime, kind = str(file.get("mimetype") or "application/octet-stream"), FileKind.DOCUMENT
    name = str(file.get("name") or "")
    if file.get("subtype") == "slack_audio":
        # A clip is MP4 with AAC, sometimes labelled video/mp4: say what it is.
        kind = FileKind.VOICE
        mime = mime.replace("video/", "audio/")
        name = re.sub(r"\.mp4$", ".m4a", name)
    elif mime == _CANVAS:  # without a name; it is handed over as HTML
        mime, name = "text/html", str(file.get("title") or "Canvas")
    elif mime.startswith("image/") and mime != "image/svg+xml":
        kind = FileKind.IMAGE
    elif mime.startswith("audio/"):
        kind = FileKind.AUDIO
    elif mime.startswith("video/"):
        kind = FileKind.VIDEO
    size, length = file.get("size"), file.get("duration_ms")
    return Attachment(
        id=FileId(str(file["id"])),
        kind=kind,
        mime=mime,
        size=int(size) if size is not None else None,
        name=name,
        seconds=float(length) / 1000 if length is not None else None,
    )
