"""The files and the words of a Telegram message, whatever kind of message it is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, TypeAlias

from bot.core.types import Attachment, FileId, FileKind
from bot.platforms.telegram.rich_blocks import media_in, words_in

Raw: TypeAlias = dict[str, Any]
"""An object of the Bot API as it came."""

ENOUGH_PIXELS = 1280
"""A side this long shows a model all it can see; larger sizes only take longer."""
MOST = 10
"""Files of one rich message, as many as of an album; a post may hold fifty."""
_MEDIA = {
    "voice": (FileKind.VOICE, "audio/ogg", "voice.ogg"),
    "voice_note": (FileKind.VOICE, "audio/ogg", "voice.ogg"),  # so called in a rich message
    "audio": (FileKind.AUDIO, "audio/mpeg", "audio.mp3"),
    "video": (FileKind.VIDEO, "video/mp4", "video.mp4"),
    "video_note": (FileKind.VIDEO, "video/mp4", "video.mp4"),
}
WITHOUT_FILE = ("story", "game", "paid_media", "invoice", "giveaway")
"""Kinds of messages that have no file, but deserve an answer."""


def words_of(message: Raw) -> str:
    """What a message says; a place, a contact, a poll or a list is put into words for the model."""
    words: str = message.get("text") or message.get("caption") or ""
    if words:
        return words
    if venue := message.get("venue"):
        return f"📍 {venue['title']}, {venue['address']} ({_degrees(venue['location'])})"
    if place := message.get("location"):
        return f"📍 {_degrees(place)}"
    if person := message.get("contact"):
        name = " ".join(filter(None, (person["first_name"], person.get("last_name"))))
        return f"👤 {name}, {person['phone_number']}"
    if poll := message.get("poll"):
        options = "\n".join(f"- {option['text']}" for option in poll["options"])
        return f"📊 {poll['question']}\n{options}"
    if checklist := message.get("checklist"):
        return "\n".join((f"📋 {checklist['title']}", *map(_task, checklist["tasks"])))
    if dice := message.get("dice"):
        return f"{dice['emoji']} {dice['value']}"
    if rich := message.get("rich_message"):
        return words_in(rich["blocks"])
    return ""


def attachments_of(message: Raw) -> tuple[Attachment, ...]:
    """The files of a message. Of an album every picture comes as a message of its own."""
    found = _media(message)
    if found is not None:
        return (found,)
    blocks = media_in(message.get("rich_message", {}).get("blocks", ()))
    return tuple(islice(filter(None, map(_media, blocks)), MOST))


def _media(message: Raw) -> Attachment | None:
    # a message that is answered from elsewhere has a live photo instead of its still
    # (JsonExternalReplyInfo in the Client.cpp of telegram-bot-api)
    if sizes := message.get("photo") or message.get("live_photo", {}).get("photo"):
        return _attachment(_large_enough(sizes), FileKind.IMAGE, "image/jpeg", "photo.jpg")
    for name, usual in _MEDIA.items():
        if file := message.get(name):
            return _attachment(file, *usual)
    if sticker := message.get("sticker"):
        mime = "video/webm" if sticker.get("is_video") else "image/webp"
        return _attachment(sticker, FileKind.STICKER, mime, sticker.get("emoji", ""))
    if still := message.get("animation", {}).get("thumbnail"):
        # a GIF is a film without sound here; its still is what a model can look at
        return _attachment(still, FileKind.IMAGE, "image/jpeg", "animation.jpg")
    if document := message.get("document"):
        return _attachment(document, FileKind.DOCUMENT, "application/octet-stream", "")
    for kind in WITHOUT_FILE:
        if kind in message:
            return Attachment(id=FileId(""), kind=FileKind.DOCUMENT, mime="", name=kind)
    return None


def _attachment(file: Raw, kind: FileKind, mime: str, name: str) -> Attachment:
    """A file; `mime` and `name` are for one that does not say them."""
    seconds = file.get("duration")
    return Attachment(
        id=FileId(file["file_id"]),
        kind=kind,
        mime=file.get("mime_type") or mime,
        size=file.get("file_size"),
        name=file.get("file_name") or name,
        seconds=None if seconds is None else float(seconds),
    )


def _large_enough(sizes: Sequence[Raw]) -> Raw:
    """The smallest size that is large enough, else the largest."""
    by_size = sorted(sizes, key=lambda size: size["width"] * size["height"])
    enough = (size for size in by_size if max(size["width"], size["height"]) >= ENOUGH_PIXELS)
    return next(enough, by_size[-1])


def _task(task: Raw) -> str:
    """A task of a list; it has a `completion_date` once it is done (Bot API, `ChecklistTask`)."""
    return f"{'☑' if task.get('completion_date') else '☐'} {task['text']}"


def _degrees(place: Raw) -> str:
    return f"{place['latitude']:.6f}, {place['longitude']:.6f}"
