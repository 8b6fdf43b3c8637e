"""Sending photos, documents and albums, and finding a file to be fetched."""

from __future__ import annotations

from dataclasses import replace

from bot.sandbox.telegram import markup
from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.files import MAX_DOWNLOAD, photo_size, take_upload
from bot.sandbox.telegram.messages import caption_of, editable, edited, new_message, posted
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import Json, Media
from bot.sandbox.telegram.world import World

_IN_ALBUM = {"photo", "document"}


def get_file(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#getfile."""
    file = world.files.by_id(params.text("file_id"))
    if file is None:
        raise BadRequest("wrong file_id or the file is temporarily unavailable")
    if file.size > MAX_DOWNLOAD:
        raise BadRequest("file is too big")
    return {
        "file_id": file.id,
        "file_unique_id": file.unique_id,
        "file_size": file.size,
        "file_path": file.path,
    }


def send_photo(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#sendphoto."""
    return _send(world, params, "photo")


def send_document(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#senddocument."""
    return _send(world, params, "document")


def send_media_group(world: World, params: Params) -> list[Json]:
    """https://core.telegram.org/bots/api#sendmediagroup: 2–10 items, no buttons.

    A single item is refused, as documented; what the real server says then is not known.
    """
    value = params.parsed("media", "media")
    if not isinstance(value, list):
        raise BadRequest("Expected an Array of InputMedia")
    if len(value) > 10:
        raise BadRequest("Too many messages to send as an album")
    if len(value) < 2:
        raise BadRequest("There are no messages to send")
    kinds = {str(entry.get("type", "")) if isinstance(entry, dict) else "" for entry in value}
    if not kinds <= _IN_ALBUM:
        raise BadRequest('Can\'t parse InputMedia: Field "type" is invalid')
    for kind in kinds:
        _check_right(world, params, kind)
    if len(kinds) > 1:
        raise BadRequest("Document can't be mixed with other media types")
    contents = [_album_item(world, params, entry) for entry in value]
    album = str(10_000_000 + world.number())
    sent = []
    for media, text, entities in contents:
        message = new_message(world, params)
        message.media, message.album = media, album
        message.text, message.entities = text, entities
        sent.append(message)
    return [posted(world, message) for message in sent]


def edit_message_media(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#editmessagemedia: also of a message that is only text.

    What Telegram's servers forbid with a code is a 400 (`fail_query_with_error` in Client.cpp).
    """
    value = params.parsed("media", "media")
    if not isinstance(value, dict) or str(value.get("type", "")) not in _IN_ALBUM:
        raise BadRequest('Can\'t parse InputMedia: Field "type" is invalid')
    keyboard = markup.inline_keyboard(params)
    message = editable(world, params)
    if str(value["type"]) in world.chats[message.chat].forbidden:
        raise BadRequest(f"CHAT_SEND_{value['type']}S_FORBIDDEN".upper())
    media, text, entities = _album_item(world, params, value)
    new = replace(message, media=media, text=text, entities=entities, keyboard=keyboard)
    return edited(world, message, new)


def album_size(params: Params) -> int:
    """How many messages a sendMediaGroup makes, for the limits."""
    value = params.lenient("media")
    return max(1, len(value)) if isinstance(value, list) else 1


def _send(world: World, params: Params, kind: str) -> Json:
    content = caption_of(world, params.text("caption"), params.lenient("caption_entities"))
    keyboard = markup.inline_keyboard(params)
    _check_right(world, params, kind)
    media = _media(world, params, kind, params.text(kind))
    message = new_message(world, params)
    message.text, message.entities = content.text, content.entities
    message.media, message.keyboard = media, keyboard
    return posted(world, message)


def _check_right(world: World, params: Params, kind: str) -> None:
    """Raises `BadRequest` where members may not send media of a kind.

    https://core.telegram.org/bots/api#chatpermissions; the words are those of TDLib's
    `can_send_message_content` in MessageContent.cpp.
    """
    if kind in world.writable(params.text("chat_id")).forbidden:
        raise BadRequest(f"not enough rights to send {kind}s to the chat")


def _album_item(world: World, params: Params, entry: Json) -> tuple[Media, str, tuple[Json, ...]]:
    caption = caption_of(world, str(entry.get("caption", "")), entry.get("caption_entities"))
    media = _media(world, params, str(entry["type"]), str(entry.get("media", "")))
    return media, caption.text, caption.entities


def _media(world: World, params: Params, kind: str, value: str) -> Media:
    file = take_upload(world.files, params, kind, value)
    if kind != "photo":
        return Media(kind=kind, file=file)
    width, height = photo_size(file.content)
    return Media(kind=kind, file=file, width=width, height=height)
