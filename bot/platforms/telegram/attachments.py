"""The files and the words of a Telegram message, whatever kind of message it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from telegram import Message, PhotoSize

from bot.core.types import Attachment, FileId, FileKind

ENOUGH_PIXELS = 1280
"""A side this long shows a model all it can see; larger sizes only take longer."""


class _File(Protocol):
    """What all of Telegram's file objects have in common."""

    @property
    def file_id(self) -> str: ...
    @property
    def file_size(self) -> int | None: ...
    def to_dict(self, recursive: bool = True) -> dict[str, object]: ...


def words_of(message: Message) -> str:
    """What a message says; a place, a contact or a poll is put into words for the model."""
    if message.text or message.caption:
        return message.text or message.caption or ""
    if message.venue is not None:
        where = message.venue.location
        return f"📍 {message.venue.title}, {message.venue.address} ({_degrees(where)})"
    if message.location is not None:
        return f"📍 {_degrees(message.location)}"
    if message.contact is not None:
        person = message.contact
        name = " ".join(filter(None, (person.first_name, person.last_name)))
        return f"👤 {name}, {person.phone_number}"
    if message.poll is not None:
        options = "\n".join(f"- {option.text}" for option in message.poll.options)
        return f"📊 {message.poll.question}\n{options}"
    if message.dice is not None:
        return f"{message.dice.emoji} {message.dice.value}"
    return _rich_words(message.api_kwargs.get("rich_message"))


def attachments_of(message: Message) -> tuple[Attachment, ...]:
    """The files of a message. Of an album every picture comes as a message of its own."""
    found = _media(message) or _other(message)
    return () if found is None else (found,)


def _media(message: Message) -> Attachment | None:
    if message.photo:
        return _attachment(_large_enough(message.photo), FileKind.IMAGE, "image/jpeg", "photo.jpg")
    if (voice := message.voice) is not None:
        return _attachment(voice, FileKind.VOICE, voice.mime_type or "audio/ogg", "voice.ogg")
    if (audio := message.audio) is not None:
        mime = audio.mime_type or "audio/mpeg"
        return _attachment(audio, FileKind.AUDIO, mime, audio.file_name or "audio.mp3")
    if (video := message.video) is not None:
        mime = video.mime_type or "video/mp4"
        return _attachment(video, FileKind.VIDEO, mime, video.file_name or "video.mp4")
    if message.video_note is not None:
        return _attachment(message.video_note, FileKind.VIDEO, "video/mp4", "video.mp4")
    return None


def _other(message: Message) -> Attachment | None:
    if (sticker := message.sticker) is not None:
        mime = "video/webm" if sticker.is_video else "image/webp"
        return _attachment(sticker, FileKind.STICKER, mime, sticker.emoji or "")
    if (moving := message.animation) is not None and moving.thumbnail is not None:
        # a GIF is a film without sound here; its still is what a model can look at
        return _attachment(moving.thumbnail, FileKind.IMAGE, "image/jpeg", "animation.jpg")
    if (document := message.document) is not None:
        mime = document.mime_type or "application/octet-stream"
        return _attachment(document, FileKind.DOCUMENT, mime, document.file_name or "")
    for kind in ("story", "game", "paid_media", "checklist", "invoice", "giveaway"):
        if getattr(message, kind) is not None:  # these have no file, but deserve an answer
            return Attachment(id=FileId(""), kind=FileKind.DOCUMENT, mime="", name=kind)
    return None


def _attachment(file: _File, kind: FileKind, mime: str, name: str) -> Attachment:
    seconds = file.to_dict().get("duration")  # the attribute warns until PTB gives timedeltas
    return Attachment(
        id=FileId(file.file_id),
        kind=kind,
        mime=mime,
        size=file.file_size,
        name=name,
        seconds=float(seconds) if isinstance(seconds, int | float) else None,
    )


def _large_enough(sizes: Sequence[PhotoSize]) -> PhotoSize:
    """The smallest size that is large enough, else the largest."""
    by_size = sorted(sizes, key=lambda size: size.width * size.height)
    enough = (size for size in by_size if max(size.width, size.height) >= ENOUGH_PIXELS)
    return next(enough, by_size[-1])


def _degrees(place: object) -> str:
    latitude, longitude = getattr(place, "latitude", 0.0), getattr(place, "longitude", 0.0)
    return f"{latitude:.6f}, {longitude:.6f}"


def _rich_words(rich: object) -> str:
    """All the text in a rich message (Bot API 10.1), which PTB 22.8 does not know yet."""
    if isinstance(rich, str):
        return rich
    if isinstance(rich, list):
        return "\n".join(filter(None, map(_rich_words, rich)))
    if isinstance(rich, dict):
        inner = (rich.get(key) for key in ("text", "caption", "blocks", "items", "cells", "rows"))
        return "\n".join(filter(None, map(_rich_words, inner)))
    return ""
