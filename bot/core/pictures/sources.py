"""The pictures that a drawing begins with: sent by somebody, or drawn here before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bot.core.chat import ImagePart
from bot.core.question.attachments import bytes_of, kind_of
from bot.core.turn import TurnContext
from bot.core.types import Attachment, FileId, FileKind, IncomingMessage
from bot.errors import MediaError, MediaErrorKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A picture by its name: `digest` of one the bot drew, or else the platform's id of a `file`.

    Both outlast a restart; the bytes are fetched when they are needed.
    """

    digest: str = ""
    file: str = ""
    mime: str = ""
    size: int | None = None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Source:
        """From JSON."""
        return cls(**{name: value for name, value in found.items() if name in cls.__slots__})


def digest_of(picture: ImagePart) -> str:
    """By what the store finds a picture that the bot drew."""
    return sha256(picture.data).hexdigest()


def pictures_of(message: IncomingMessage) -> tuple[Source, ...]:
    """The pictures in the message replied to, and then in the message itself."""
    quoted = message.reply_to.attachments if message.reply_to else ()
    return tuple(
        Source(file=each.id, mime=each.mime, size=each.size)
        for each in (*quoted, *message.attachments)
        if kind_of(each) is FileKind.IMAGE
    )


async def load(
    ctx: TurnContext, sources: Sequence[Source], *, exact: bool
) -> tuple[ImagePart, ...]:
    """The pictures, in order; `exact` leaves their pixels as they are, for a mask to fit.

    Raises `MediaError`, `FileTooLarge`, `PlatformError`.
    """
    return tuple([await _load(ctx, source, exact=exact) for source in sources])


async def _load(ctx: TurnContext, source: Source, *, exact: bool) -> ImagePart:
    if source.digest:
        drawn = await ctx.services.stores.conversations.drawn(ctx.chat, source.digest)
        if drawn is None:
            raise MediaError(MediaErrorKind.GONE)
        return drawn
    attachment = Attachment(
        id=FileId(source.file), kind=FileKind.IMAGE, mime=source.mime, size=source.size
    )
    data = await bytes_of(ctx, attachment)
    fitted = ImagePart(*await ctx.services.fit_picture(data))  # it is a picture at all
    return ImagePart(source.mime, data) if exact else fitted
