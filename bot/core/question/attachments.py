"""What people send besides words: pictures become parts, speech and documents become text."""

from __future__ import annotations

import asyncio
import logging
import mimetypes
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.core.chat import ImagePart, Part
from bot.core.documents import Document, Section
from bot.core.models import UsageEntry
from bot.core.question.listening import Transcriber, name_of
from bot.core.question.reading import BudgetedReader
from bot.core.turn import TurnContext
from bot.core.types import Attachment, FileKind, IncomingMessage, OutgoingFile, Quote
from bot.errors import (
    PASSING,
    ChatGone,
    FileTooLarge,
    MediaError,
    MediaErrorKind,
    ModelError,
    PlatformError,
    RateLimited,
)

log = logging.getLogger(__name__)

SPEECH = frozenset({FileKind.VOICE, FileKind.AUDIO, FileKind.VIDEO})
UNREADABLE = frozenset({MediaErrorKind.NOT_DOCUMENT, MediaErrorKind.PACKED})
"""Why words beside a file are answered without it."""
LARGEST_SOURCE = 1_000_000
"""Bytes up to which a file `.ts` is TypeScript: browsers call both that and MPEG's a video."""
SMALL = 25_000_000
"""Bytes of a file that is fetched without waiting for others to be gone."""
LARGEST_PICTURE = 30_000_000
"""Bytes of a picture, which is read as a whole: photos have a third of that."""


@dataclass(slots=True)
class Gathered:
    """What the attachments of a message came to."""

    parts: list[Part] = field(default_factory=list)
    """Pictures, and what documents say."""
    heard: str = ""
    """The transcript of speech, as the model is told it: a long one is cut."""
    quote: str = ""
    """The transcript as the chat is shown it: of a long one the beginning."""
    files: list[OutgoingFile] = field(default_factory=list)
    """Long transcripts as a whole, for the chat."""
    unread: list[str] = field(default_factory=list)
    """What nobody reads here, in words: `a sticker`, the name of a file."""
    usage: list[UsageEntry] = field(default_factory=list)
    """What listening has cost."""


async def gather(
    ctx: TurnContext, message: IncomingMessage, status: Callable[[str], None], found: Gathered
) -> None:
    """Fetch and read the attachments of a message; `status` is told what takes time.

    Attachments of the message replied to count as sent with this one. Raises `FileTooLarge`,
    `MediaError`, `ModelError`, `PlatformError`; what was paid for until then stands in `found`.
    """
    reader = BudgetedReader(ctx)
    about = message.reply_to
    for attachment in about.attachments if about else ():
        try:
            await _add(ctx, message, attachment, status, found, reader, quote=about)
        except (MediaError, FileTooLarge, ModelError) as error:
            passes = isinstance(error, ModelError) and error.kind in PASSING
            if passes or not (about and about.opening):
                raise
            found.unread.append(attachment.name or ctx.texts.gettext("a file"))
    for attachment in message.attachments:
        await _add(ctx, message, attachment, status, found, reader)


async def _add(
    ctx: TurnContext,
    message: IncomingMessage,
    attachment: Attachment,
    status: Callable[[str], None],
    found: Gathered,
    reader: BudgetedReader,
    *,
    quote: Quote | None = None,
) -> None:
    """Fetch and read one of them, or one of the message in the `quote`. Raises like `gather`."""
    _ = ctx.texts.gettext
    kind = kind_of(attachment)
    if kind is FileKind.IMAGE and quote and await _is_blind(ctx):
        found.unread.append(_("a picture"))
    elif kind is FileKind.IMAGE:
        data = await bytes_of(ctx, attachment)
        found.parts.append(ImagePart(*await ctx.services.fit_picture(data)))
    elif kind in SPEECH:
        is_aside = quote and quote.opening and kind is not FileKind.VOICE
        if ctx.settings.voice == "off" or is_aside:
            found.unread.append(_("a recording"))
            return
        await _listen(ctx, attachment, found, reader, Transcriber(ctx, status, found.usage))
    elif kind is FileKind.STICKER:
        found.unread.append(_("a sticker"))
    elif attachment.id:
        status(_("📄 Reading {name}…").format(name=attachment.name or _("a file")))
        try:
            async with fetched(ctx, attachment) as path:
                found.parts += await reader.read(path, attachment)
        except MediaError as error:
            if error.kind not in UNREADABLE or not message.text.strip():
                raise
            found.unread.append(attachment.name or _("a file"))  # the words are answered
    else:  # a story, a game: there are no bytes to it
        found.unread.append(attachment.name or _("a file"))


def kind_of(attachment: Attachment) -> FileKind:
    """What a file is: a picture or a recording sent as a document counts as what it is."""
    if attachment.kind is FileKind.DOCUMENT and not _is_typescript(attachment):
        mime = attachment.mime
        if mime in ("", "application/octet-stream"):  # the sender's app did not know
            mime = mimetypes.guess_type(attachment.name)[0] or ""
        match mime.split("/")[0]:
            case "image" if mime != "image/svg+xml":
                return FileKind.IMAGE
            case "audio":
                return FileKind.AUDIO
            case "video":
                return FileKind.VIDEO
    return attachment.kind


def _is_typescript(attachment: Attachment) -> bool:
    is_small = (attachment.size or 0) <= LARGEST_SOURCE
    return is_small and attachment.name.lower().endswith(".ts")


async def _is_blind(ctx: TurnContext) -> bool:
    return (await ctx.services.api.about(ctx.manner.model)).vision is False


@asynccontextmanager
async def fetched(ctx: TurnContext, attachment: Attachment) -> AsyncIterator[Path]:
    """A file, alone in a folder that is there inside the block.

    Raises `FileTooLarge`, `PlatformError`. What fails once is tried again with the turn; what fails
    twice is `MediaError` (NOT_FETCHED).
    """
    limit = ctx.capabilities.max_file_in
    if limit and attachment.size is not None and attachment.size > limit:
        raise FileTooLarge(limit)
    most = limit if attachment.size is None else attachment.size
    is_small = most is not None and most <= SMALL
    async with nullcontext() if is_small else ctx.services.large_files:
        with TemporaryDirectory(prefix="chinwag-") as folder:
            path = Path(folder) / "download"
            await _download(ctx, attachment, path)
            yield path


async def _download(ctx: TurnContext, attachment: Attachment, path: Path) -> None:
    try:
        await ctx.platform.download(attachment, path)
    except (FileTooLarge, RateLimited, ChatGone):
        raise
    except PlatformError as error:
        if ctx.turn.attempt == 1:
            raise
        log.warning("file not fetched", extra={**ctx.log, "error": repr(error)})
        raise MediaError(MediaErrorKind.NOT_FETCHED) from error


async def bytes_of(ctx: TurnContext, picture: Attachment) -> bytes:
    """What is in a picture. Raises like `fetched`."""
    if (picture.size or 0) > LARGEST_PICTURE:
        raise FileTooLarge(LARGEST_PICTURE)
    async with fetched(ctx, picture) as path:
        if (await asyncio.to_thread(path.stat)).st_size > LARGEST_PICTURE:
            raise FileTooLarge(LARGEST_PICTURE)
        return await asyncio.to_thread(path.read_bytes)


async def _listen(
    ctx: TurnContext,
    attachment: Attachment,
    found: Gathered,
    reader: BudgetedReader,
    transcriber: Transcriber,
) -> None:
    """Add what is said in a recording; a long one is shown as files, and cut for the model."""
    name = name_of(attachment)
    async with fetched(ctx, attachment) as path:
        heard = await transcriber.listen(path, attachment)
    text = heard.text
    if heard.is_long:
        found.files += heard.files(name)
        pieces = heard.paragraphs() or [("the recording", heard.text)]
        sections = tuple(Section(mark=mark, text=words) for mark, words in pieces)
        text = await reader.cut(name, Document(sections=sections))
    found.heard = f"{found.heard}\n\n{text}".strip()
    found.quote = f"{found.quote}\n\n{heard.excerpt}".strip()
