"""Entities of a text in both dialects: the Bot API's and TDLib's. Offsets count UTF-16 units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from bot.sandbox.telegram.errors import BadRequest

Entity: TypeAlias = dict[str, Any]
"""A MessageEntity of the Bot API: type, offset and length in UTF-16 code units, details."""


def utf16_length(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def utf16_slice(text: str, offset: int, length: int) -> str:
    """The part of a text that an entity covers."""
    raw = text.encode("utf-16-le")[offset * 2 : (offset + length) * 2]
    return raw.decode("utf-16-le", "replace")


def covered(text: str, entities: Sequence[Entity], kind: str) -> list[str]:
    """The parts of a text that entities of a kind cover."""
    return [
        utf16_slice(text, entity["offset"], entity["length"])
        for entity in entities
        if entity["type"] == kind
    ]


_TO_TDLIB = {
    "bold": "Bold",
    "italic": "Italic",
    "underline": "Underline",
    "strikethrough": "Strikethrough",
    "spoiler": "Spoiler",
    "code": "Code",
    "pre": "Pre",
    "text_link": "TextUrl",
    "text_mention": "MentionName",
    "custom_emoji": "CustomEmoji",
    "blockquote": "BlockQuote",
    "expandable_blockquote": "ExpandableBlockQuote",
    "date_time": "DateTime",
}
_AUTOMATIC = {
    "Mention": "mention",
    "Hashtag": "hashtag",
    "Cashtag": "cashtag",
    "BotCommand": "bot_command",
    "Url": "url",
    "EmailAddress": "email",
    "PhoneNumber": "phone_number",
    "BankCardNumber": "bank_card_number",
}
_FROM_TDLIB = {name: kind for kind, name in _TO_TDLIB.items()} | _AUTOMATIC | {"PreCode": "pre"}


def to_tdlib(entities: object) -> Iterable[Entity]:
    """The `entities` parameter as TDLib wants it; what Telegram finds itself is left out."""
    if not isinstance(entities, list):
        return
    for entity in entities:
        try:
            converted = _one_to_tdlib(entity)
        except (KeyError, TypeError, ValueError) as error:
            raise BadRequest(f"Can't parse MessageEntity: {error}") from error
        if converted is not None:
            yield converted


def _one_to_tdlib(entity: Entity) -> Entity | None:
    if not isinstance(entity, dict):
        raise TypeError("expected an Object")
    for field in ("offset", "length", "type"):
        if field not in entity:
            raise ValueError(f'Can\'t find field "{field}"')
    kind = str(entity["type"])
    if kind in _AUTOMATIC.values():
        return None
    if kind not in _TO_TDLIB:
        raise ValueError("Unsupported type specified")
    inner: Entity = {"@type": f"textEntityType{_TO_TDLIB[kind]}"}
    if kind == "text_link":
        inner["url"] = str(entity.get("url", ""))
    elif kind == "text_mention":
        inner["user_id"] = int(entity["user"]["id"])
    elif kind == "custom_emoji":
        inner["custom_emoji_id"] = str(entity["custom_emoji_id"])
    elif kind == "date_time":
        inner["unix_time"] = int(entity["unix_time"])
    elif kind == "pre" and entity.get("language"):
        inner = {"@type": "textEntityTypePreCode", "language": str(entity["language"])}
    return {
        "@type": "textEntity",
        "offset": int(entity["offset"]),
        "length": int(entity["length"]),
        "type": inner,
    }


def to_bot(entity: Entity) -> Entity:
    """One of TDLib's entities as the Bot API hands it out."""
    inner = entity["type"]
    name = inner["@type"].removeprefix("textEntityType")
    shown: Entity = {
        "type": _FROM_TDLIB[name],
        "offset": entity["offset"],
        "length": entity["length"],
    }
    if name == "TextUrl":
        shown["url"] = inner["url"]
    elif name == "PreCode":
        shown["language"] = inner["language"]
    elif name == "CustomEmoji":
        shown["custom_emoji_id"] = str(inner["custom_emoji_id"])
    elif name == "DateTime":
        shown["unix_time"] = inner["unix_time"]
    elif name == "MentionName":
        shown["user"] = {"id": inner["user_id"], "is_bot": False, "first_name": ""}
    return shown
