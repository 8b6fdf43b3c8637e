"""What people send besides words: pictures become parts, speech and documents become text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.core.chat import ImagePart, Part, TranscriptionRequest, UsageEntry
from bot.core.reading import Desk
from bot.core.spending import reserve_audio
from bot.core.turn import TurnContext
from bot.core.types import Attachment, FileKind, IncomingMessage
from bot.errors import FileTooLarge, MediaError, MediaErrorKind, ModelError, ModelErrorKind

AUDIO_BYTES = 25_000_000
"""Largest file the transcription endpoint takes (OpenAI, "Speech to text": 25 MB)."""
SPEECH = frozenset({FileKind.VOICE, FileKind.AUDIO, FileKind.VIDEO})


@dataclass(slots=True)
class Gathered:
    """What the attachments of a message came to: `heard` is the transcript of speech in them."""

    pictures: list[Part] = field(default_factory=list)
    """Pictures, and what documents say."""
    heard: str = ""
    unread: list[str] = field(default_factory=list)
    usage: list[UsageEntry] = field(default_factory=list)


async def gather(
    ctx: TurnContext, message: IncomingMessage, status: Callable[[str], None]
) -> Gathered:
    """Fetch and read the attachments of a message; `status` is told what takes time.

    Attachments of the message replied to count as sent with this one. Raises `FileTooLarge`,
    `MediaError`, `ModelError`, `PlatformError`.
    """
    _ = ctx.texts.gettext
    found = Gathered()
    desk = Desk(ctx)
    quoted = message.reply_to.attachments if message.reply_to else ()
    for attachment in (*quoted, *message.attachments):
        kind = kind_of(attachment)
        if kind is FileKind.IMAGE:
            found.pictures.append(await _look(ctx, attachment))
        elif kind in SPEECH:
            status(_("🎧 Listening…"))
            heard = await _listen(ctx, attachment, found.usage, status)
            found.heard = f"{found.heard}\n\n{heard}".strip()
        elif kind is FileKind.STICKER:
            found.unread.append(_("a sticker"))
        elif attachment.id:
            status(_("📄 Reading {name}…").format(name=attachment.name or _("a file")))
            try:
                found.pictures += await _read(ctx, attachment, desk)
            except MediaError as error:
                if error.kind is not MediaErrorKind.NOT_DOCUMENT or not message.text.strip():
                    raise
                found.unread.append(attachment.name or _("a file"))  # the words are answered
        else:  # a story, a game: there are no bytes to it
            found.unread.append(attachment.name or _("a file"))
    return found


def kind_of(attachment: Attachment) -> FileKind:
    """What a file is: a picture or a recording sent as a document counts as what it is."""
    if attachment.kind is FileKind.DOCUMENT:
        match attachment.mime.split("/")[0]:
            case "image" if attachment.mime != "image/svg+xml":
                return FileKind.IMAGE
            case "audio":
                return FileKind.AUDIO
            case "video":
                return FileKind.VIDEO
    return attachment.kind


async def fetch(ctx: TurnContext, attachment: Attachment, folder: str) -> Path:
    """Fetch a file into a folder. Raises `FileTooLarge`, `PlatformError`."""
    limit = ctx.platform.capabilities(ctx.chat).max_file_in
    if limit and attachment.size is not None and attachment.size > limit:
        raise FileTooLarge(limit)
    path = Path(folder) / "download"
    await ctx.platform.download(attachment, path)
    return path


async def _look(ctx: TurnContext, attachment: Attachment) -> Part:
    with TemporaryDirectory(prefix="chinwag-") as folder:
        path = await fetch(ctx, attachment, folder)
        data = await asyncio.to_thread(path.read_bytes)
    return ImagePart(*await ctx.services.fit_picture(data))


async def _read(ctx: TurnContext, attachment: Attachment, desk: Desk) -> list[Part]:
    with TemporaryDirectory(prefix="chinwag-") as folder:
        path = await fetch(ctx, attachment, folder)
        return await desk.read(path, attachment)


async def _listen(
    ctx: TurnContext,
    attachment: Attachment,
    usage: list[UsageEntry],
    status: Callable[[str], None],
) -> str:
    services = ctx.services
    model = services.defaults.transcription_model
    if not model:
        raise ModelError(ModelErrorKind.UNSUPPORTED, "no transcription model is configured")
    _ = ctx.texts.gettext
    with TemporaryDirectory(prefix="chinwag-") as folder:
        path = await fetch(ctx, attachment, folder)
        clips = await services.audio.prepare(path, name=attachment.name, max_bytes=AUDIO_BYTES)
    await reserve_audio(ctx, model=model, seconds=sum(clip.seconds for clip in clips))
    heard: list[str] = []
    for number, clip in enumerate(clips, start=1):
        if len(clips) > 1:
            progress = _("🎧 Listening… part {number} of {count}")
            status(progress.format(number=number, count=len(clips)))
        request = TranscriptionRequest(model=model, clip=clip, lane=ctx.lane)
        transcript = await services.api.transcribe(request)
        heard.append(transcript.text.strip())
        if transcript.usage is not None:
            usage.append(transcript.usage)
    words = " ".join(part for part in heard if part)
    if not words:
        raise MediaError(MediaErrorKind.SILENT)
    return words
