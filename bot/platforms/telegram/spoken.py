"""The text of a message: whether it is said to the bot, without its name, and where links lead.

Telegram marks stretches of a text as entities; their offsets count UTF-16 code units.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from telegramify_markdown.entity import utf16_len

from bot.core.names import ABOUT_PEOPLE
from bot.platforms.telegram.contents import Raw, words_of
from bot.platforms.telegram.rich_blocks import with_address

_ABOUT_PEOPLE = re.compile(f"[/／]{ABOUT_PEOPLE}")
_WIDE_COMMAND = re.compile(r"／[a-z][a-z0-9_]*(?:@[a-z0-9_]+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Me:
    """The bot's own account; `username` has no @."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text without the bot's name in it."""

    text: str
    addressed: bool = False
    to_another: bool = False
    """A command for another bot."""

    @classmethod
    def of(cls, message: Raw, words: str, me: Me) -> Spoken:
        """Take mentions of the bot and its name behind a command out, and put in where links lead.

        What Telegram marks so is never one in the other (`fix_entities` in the MessageEntity.cpp
        of TDLib).
        """
        entities = _entities(message)
        entities = [*entities, *_unmarked(words, entities, me)]
        if not entities:
            return cls(words.strip())
        text = words.encode("utf-16-le")  # offsets count UTF-16 code units
        name = f"@{me.username}".lower()
        addressed = False
        for entity, start, end in _last_first(entities):
            kind, marked = entity["type"], text[start:end].decode("utf-16-le", "replace")
            if kind == "bot_command" and start == 0:
                command, at, suffix = marked.partition("@")
                if at and f"@{suffix}".lower() != name:
                    return cls(words, to_another=True)
                addressed = True
                text = command.encode("utf-16-le") + text[end:]
            elif (kind == "mention" and marked.lower() == name) or (
                kind == "text_mention" and entity["user"]["id"] == me.id
            ):
                addressed = True
                text = _without(text, start, end)
            elif kind == "text_mention" and _ABOUT_PEOPLE.match(words):
                who = f"<@{entity['user']['id']}>"
                text = text[:start] + who.encode("utf-16-le") + text[end:]
            elif kind == "text_link":
                text = text[:start] + _link(marked, entity) + text[end:]
        return cls(text.decode("utf-16-le", "replace").strip(), addressed)


def _entities(message: Raw) -> list[Raw]:
    return message.get("entities") or message.get("caption_entities") or []


def _last_first(entities: Iterable[Raw]) -> Iterator[tuple[Raw, int, int]]:
    """Entities from the end of the text on, with where each begins and ends in its UTF-16."""
    for entity in sorted(entities, key=lambda entity: -entity["offset"]):
        yield entity, entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2


def _link(label: str, entity: Raw) -> bytes:
    return with_address(label, entity["url"]).encode("utf-16-le")


def with_addresses(message: Raw) -> str:
    """What a message says that is not said to the bot, and where its links lead."""
    text = words_of(message).encode("utf-16-le")
    for entity, start, end in _last_first(_entities(message)):
        if entity["type"] == "text_link":
            label = text[start:end].decode("utf-16-le", "replace")
            text = text[:start] + _link(label, entity) + text[end:]
    return text.decode("utf-16-le", "replace")


def _unmarked(words: str, entities: list[Raw], me: Me) -> list[Raw]:
    """What Telegram does not mark of Chinese: a wide slash, and mentions without spaces.

    It takes `请问@sandbox_bot 这是什么` for one word (`match_mentions` in the MessageEntity.cpp of
    TDLib).
    """
    found: list[Raw] = []
    if command := _WIDE_COMMAND.match(words):
        found.append({"type": "bot_command", "offset": 0, "length": len(command[0])})
        entities = [*entities, *found]
    name = re.compile(rf"(?<![a-z0-9_@/.])@{me.username}(?![a-z0-9_])", re.ASCII | re.IGNORECASE)
    for match in name.finditer(words):
        offset, length = (utf16_len(words[: match.start()]), utf16_len(match[0]))
        is_marked = any(
            one["offset"] < offset + length and offset < one["offset"] + one["length"]
            for one in entities
        )
        if not is_marked:
            found.append({"type": "mention", "offset": offset, "length": length})
    return found


def _without(text: bytes, start: int, end: int) -> bytes:
    """Cut a mention out, with the space or the comma that set it off."""
    before, after = text[:start].decode("utf-16-le"), text[end:].decode("utf-16-le")
    if not before.strip():
        before, after = "", after.lstrip(" ,:，：")
    elif before[-1].isspace():
        after = after.lstrip(" ")
    return (before + after).encode("utf-16-le")
