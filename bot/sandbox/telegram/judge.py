"""Who decides what a text with its formatting becomes: Telegram's own parser.

TDLib, the library under the real Bot API server, comes with the package `tdjson`; `td_execute`
runs some of its functions offline. `parseTextEntities` is the parser of Markdown and HTML.
`parseMarkdown` first cleans text and entities with the very function that `sendMessage` uses
(`fix_formatted_text` in TDLib's MessageEntity.cpp) and only then looks for Markdown, so a text
whose Markdown signs are hidden from it comes back merely cleaned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from bot.errors import ConfigError
from bot.sandbox.telegram.errors import BadRequest

Entity: TypeAlias = dict[str, Any]
"""A MessageEntity of the Bot API: type, offset and length in UTF-16 code units, details."""

MAX_ENTITIES = 100
"""More entities than this are silently dropped (https://core.telegram.org/method/messages.sendMessage)."""

_MAX_BYTES = 1 << 15  # Client.cpp of telegram-bot-api: get_formatted_text


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text as it stands in a chat, with its entities."""

    text: str
    entities: tuple[Entity, ...] = ()


class Judge(Protocol):
    """Turns what a bot sent into what stands in the chat."""

    def fix(self, text: str, parse_mode: str, entities: object) -> Formatted:
        """The cleaned text; empty when nothing visible is left. Raises `BadRequest`."""
        ...

    def detect(self, text: str) -> tuple[Entity, ...]:
        """Commands, mentions, links and the like that Telegram finds by itself."""
        ...


def utf16_length(text: str) -> int:
    """Length as Telegram counts it: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


class Lenient:
    """Believes every entity; for benchmarks, where the parser's time is not the question."""

    def fix(self, text: str, parse_mode: str, entities: object) -> Formatted:
        """The text without white space at its ends, and the entities as they are."""
        if parse_mode and text:
            raise BadRequest("parse_mode needs the judge")
        given = [e for e in entities if isinstance(e, dict)] if isinstance(entities, list) else []
        lead = len(text) - len(text.lstrip(" \n")) if not given else 0
        return Formatted(text[lead:].rstrip(), tuple(given[:MAX_ENTITIES]))

    def detect(self, text: str) -> tuple[Entity, ...]:
        """Commands and mentions only."""
        return tuple(
            {
                "type": "bot_command" if match[0].startswith("/") else "mention",
                "offset": utf16_length(text[: match.start()]),
                "length": utf16_length(match[0]),
            }
            for match in re.finditer(r"(?<![\w/@])(?:/\w{1,64}(?:@\w{3,32})?|@\w{3,32})\b", text)
        )


class Tdlib:
    """The real parser. Raises `ConfigError` when `tdjson` is not installed."""

    def __init__(self) -> None:
        try:
            from tdjson import td_execute
        except ImportError as error:
            message = "the Telegram sandbox needs tdjson: pip install 'chinwag[sandbox]'"
            raise ConfigError(message) from error
        self._run: Callable[[bytes], bytes | None] = td_execute
        self._execute({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})

    def fix(self, text: str, parse_mode: str, entities: object) -> Formatted:
        """Parse, clean, find links and commands, trim: what `sendMessage` does to a text."""
        _check_encoding(text)
        mode = parse_mode.lower()
        if text and mode and mode != "none":
            parsed = self._parse(text, mode)
        else:
            parsed = {"text": text, "entities": list(_given(entities))}
        cleaned = self._clean(parsed["text"], parsed["entities"])
        cleaned = _trimmed(cleaned["text"], cleaned["entities"])
        found = self._found(cleaned["text"], cleaned["entities"])
        if found:
            cleaned = self._clean(cleaned["text"], cleaned["entities"] + found)
        shown = [_to_bot(entity) for entity in cleaned["entities"]]
        return Formatted(cleaned["text"], tuple(shown[:MAX_ENTITIES]))

    def detect(self, text: str) -> tuple[Entity, ...]:
        """Everything Telegram marks in a text by itself."""
        return tuple(_to_bot(entity) for entity in self._found(text, []))

    def _parse(self, text: str, mode: str) -> dict[str, Any]:
        modes: dict[str, dict[str, Any]] = {
            "markdown": {"@type": "textParseModeMarkdown", "version": 1},
            "markdownv2": {"@type": "textParseModeMarkdown", "version": 2},
            "html": {"@type": "textParseModeHTML"},
        }
        if mode not in modes:
            raise BadRequest("Unsupported parse_mode")
        return self._execute(
            {"@type": "parseTextEntities", "text": text, "parse_mode": modes[mode]}
        )

    def _clean(self, text: str, entities: list[Entity]) -> dict[str, Any]:
        hidden = _hiding(text)
        content = {"@type": "formattedText", "text": text.translate(hidden), "entities": entities}
        cleaned = self._execute({"@type": "parseMarkdown", "text": content})
        seen = {ord(mask): sign for sign, mask in hidden.items()}
        return {"text": cleaned["text"].translate(seen), "entities": cleaned["entities"]}

    def _found(self, text: str, known: list[Entity]) -> list[Entity]:
        """Entities TDLib finds, without those that touch one which holds no other."""
        found = self._execute({"@type": "getTextEntities", "text": text})["entities"]
        taken = [e for e in known if e["type"]["@type"] not in _NESTING]
        quotes = [e for e in known if e["type"]["@type"] in _QUOTES]
        return [
            entity
            for entity in found
            if not any(_overlap(entity, other) for other in taken)
            and all(not _overlap(entity, quote) or _inside(entity, quote) for quote in quotes)
        ]

    def _execute(self, request: dict[str, Any]) -> dict[str, Any]:
        answer = self._run(json.dumps(request).encode())
        result: dict[str, Any] = json.loads(answer) if answer else {}
        if result.get("@type") == "error":
            raise BadRequest(result["message"])
        return result


_SPLITTABLE = {"Bold", "Italic", "Underline", "Strikethrough", "Spoiler"}
_QUOTES = {"textEntityTypeBlockQuote", "textEntityTypeExpandableBlockQuote"}
_NESTING = {f"textEntityType{name}" for name in _SPLITTABLE} | _QUOTES

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


def _given(entities: object) -> Iterable[Entity]:
    """The `entities` parameter as TDLib wants it; what Telegram finds itself is left out."""
    if not isinstance(entities, list):
        return
    for entity in entities:
        try:
            converted = _to_tdlib(entity)
        except (KeyError, TypeError, ValueError) as error:
            raise BadRequest(f"Can't parse MessageEntity: {error}") from error
        if converted is not None:
            yield converted


def _to_tdlib(entity: Entity) -> Entity | None:
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
    elif kind == "pre" and entity.get("language"):
        inner = {"@type": "textEntityTypePreCode", "language": str(entity["language"])}
    return {
        "@type": "textEntity",
        "offset": int(entity["offset"]),
        "length": int(entity["length"]),
        "type": inner,
    }


def _to_bot(entity: Entity) -> Entity:
    inner = entity["type"]
    name = inner["@type"].removeprefix("textEntityType")
    shown: Entity = {
        "type": _FROM_TDLIB.get(name, name.lower()),
        "offset": entity["offset"],
        "length": entity["length"],
    }
    if name == "TextUrl":
        shown["url"] = inner["url"]
    elif name == "PreCode":
        shown["language"] = inner["language"]
    elif name == "CustomEmoji":
        shown["custom_emoji_id"] = str(inner["custom_emoji_id"])
    elif name == "MentionName":
        shown["user"] = {"id": inner["user_id"], "is_bot": False, "first_name": ""}
    return shown


def _hiding(text: str) -> dict[int, str]:
    """A stand-in from the private use area, absent from the text, for each Markdown sign."""
    free = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    return {ord(sign): next(free) for sign in "_*~|`["}


def _trimmed(text: str, entities: list[Entity]) -> dict[str, Any]:
    """Cut white space at both ends as `fix_formatted_text` does with `skip_trim` off."""
    kept = text.rstrip()
    end = utf16_length(kept)
    first = min((entity["offset"] for entity in entities), default=end)
    lead = 0
    while lead < first and kept[lead] in " \n":
        lead += 1
    moved = [
        entity
        | {
            "offset": entity["offset"] - lead,
            "length": min(entity["offset"] + entity["length"], end) - entity["offset"],
        }
        for entity in entities
        if entity["offset"] < end
    ]
    return {"text": kept[lead:], "entities": moved}


def _overlap(one: Entity, other: Entity) -> bool:
    return bool(
        one["offset"] < other["offset"] + other["length"]
        and other["offset"] < one["offset"] + one["length"]
    )


def _inside(one: Entity, other: Entity) -> bool:
    return bool(
        other["offset"] <= one["offset"]
        and one["offset"] + one["length"] <= other["offset"] + other["length"]
    )


def _check_encoding(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise BadRequest("strings must be encoded in UTF-8") from error
    if size > _MAX_BYTES:
        raise BadRequest("Text is too long")


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
