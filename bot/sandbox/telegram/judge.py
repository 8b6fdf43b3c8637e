"""Who decides what a text with its formatting becomes: Telegram's own parser.

TDLib, the library under the real Bot API server, comes with the package `tdjson`; `td_execute`
runs some of its functions offline. `parseMarkdown` first cleans text and entities with the very
function that `sendMessage` uses (`fix_formatted_text` in TDLib's MessageEntity.cpp) and only then
looks for Markdown, so a text whose Markdown signs are hidden from it comes back merely cleaned.
Formatting comes as entities only: there is no `parse_mode`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from bot.errors import ConfigError
from bot.sandbox.telegram.entities import Entity, to_bot, to_tdlib, utf16_length
from bot.sandbox.telegram.errors import BadRequest

MAX_ENTITIES = 100
"""More entities than this are silently dropped (https://core.telegram.org/method/messages.sendMessage)."""

MAX_ENTITY_BYTES = 9_500
"""What the entities of one message may take together; more is `ENTITIES_TOO_LONG`. Not documented,
but called a good approximation of the limit on github.com/tdlib/telegram-bot-api/issues/165."""

_MAX_BYTES = 1 << 15  # Client.cpp of telegram-bot-api: get_formatted_text


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text as it stands in a chat, with its entities."""

    text: str
    entities: tuple[Entity, ...] = ()


class Judge(Protocol):
    """Turns what a bot sent into what stands in the chat."""

    def fix(self, text: str, entities: object) -> Formatted:
        """The cleaned text; empty when nothing visible is left. Raises `BadRequest`."""

    def detect(self, text: str) -> tuple[Entity, ...]:
        """Commands, mentions, links and the like that Telegram finds by itself."""


class Lenient:
    """Believes every entity; for benchmarks, where the parser's time is not the question."""

    def fix(self, text: str, entities: object) -> Formatted:
        """The text without white space at its ends, and the entities as they are."""
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

    def fix(self, text: str, entities: object) -> Formatted:
        """Clean, find links and commands, trim: what `sendMessage` does to a text."""
        _check_encoding(text)
        cleaned = self._clean(text, list(to_tdlib(entities)))
        cleaned = _trimmed(cleaned["text"], cleaned["entities"])
        if sum(map(_weight, cleaned["entities"])) > MAX_ENTITY_BYTES:
            raise BadRequest("ENTITIES_TOO_LONG")
        found = self._found(cleaned["text"], cleaned["entities"])
        if found:
            cleaned = self._clean(cleaned["text"], cleaned["entities"] + found)
        shown = [to_bot(entity) for entity in cleaned["entities"]]
        return Formatted(cleaned["text"], tuple(shown[:MAX_ENTITIES]))

    def detect(self, text: str) -> tuple[Entity, ...]:
        """Everything Telegram marks in a text by itself."""
        return tuple(to_bot(entity) for entity in self._found(text, []))

    def _clean(self, text: str, entities: list[Entity]) -> dict[str, Any]:
        hidden = _hiding(text)
        content = {"@type": "formattedText", "text": text.translate(hidden), "entities": entities}
        cleaned = self._execute({"@type": "parseMarkdown", "text": content})
        seen = {ord(mask): sign for sign, mask in hidden.items()}
        return {"text": cleaned["text"].translate(seen), "entities": cleaned["entities"]}

    def _found(self, text: str, known: list[Entity]) -> list[Entity]:
        """Entities TDLib finds, without those that touch one which holds no other."""
        answer = self._execute({"@type": "getTextEntities", "text": text})
        found = [e for e in answer["entities"] if e["type"]["@type"] != _TIMESTAMP]
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


_TIMESTAMP = "textEntityTypeMediaTimestamp"  # marked for people only, not for bots
_SPLITTABLE = {"Bold", "Italic", "Underline", "Strikethrough", "Spoiler"}
_QUOTES = {"textEntityTypeBlockQuote", "textEntityTypeExpandableBlockQuote"}
_NESTING = {f"textEntityType{name}" for name in _SPLITTABLE} | _QUOTES

_BLANK = dict.fromkeys(
    map(
        ord,
        "\u00a0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
        "\u200c\u200d\u200e\u200f\u202e\u202f\u205f\u2800\u3000\ufeff\ufffc",
    )
) | dict.fromkeys(range(0xE0000, 0xE0080))
"""Characters that show nothing (`is_empty_string` in TDLib's misc.cpp)."""


def _hiding(text: str) -> dict[int, str]:
    """A stand-in from the private use area, absent from the text, for each Markdown sign."""
    free = (chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in text)
    return {ord(sign): next(free) for sign in "_*~|`["}


def _trimmed(text: str, entities: list[Entity]) -> dict[str, Any]:
    """Cut white space at both ends as `fix_formatted_text` does with `skip_trim` off."""
    kept = text.rstrip(" \n")
    if not kept.translate(_BLANK).strip(" \n"):
        return {"text": "", "entities": []}
    end = utf16_length(kept)
    first = min((entity["offset"] for entity in entities), default=end)
    lead = 0
    while lead < first and kept[lead] in " \n":
        lead += 1
    return {
        "text": kept[lead:],
        "entities": [_moved(entity, lead, end) for entity in entities if entity["offset"] < end],
    }


def _moved(entity: Entity, lead: int, end: int) -> Entity:
    offset = entity["offset"]
    length = min(offset + entity["length"], end) - offset
    return entity | {"offset": offset - lead, "length": length}


def _weight(entity: Entity) -> int:
    """Bytes that Telegram's servers are sent of an entity (telegram_api.tl of TDLib)."""
    words = entity["type"].get("url") or entity["type"].get("language") or ""
    return 12 + len(words.encode())


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
