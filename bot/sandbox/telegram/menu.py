"""The bot's command menu: what was set per scope and language, and what a person sees of it.

https://core.telegram.org/bots/api#determining-list-of-commands.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import ChatKind, Json

if TYPE_CHECKING:
    from bot.sandbox.telegram.telegram import Telegram

MAX_COMMANDS = 100
MAX_DESCRIPTION = 256

_GENERAL = {
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
}
_OF_CHAT = {"chat", "chat_administrators", "chat_member"}

Scope: TypeAlias = tuple[str, int]


class Menu:
    """Commands by scope and language."""

    def __init__(self) -> None:
        self._lists: dict[tuple[Scope, str], list[Json]] = {}

    def set(self, scope: Scope, language: str, commands: list[Json]) -> None:
        """Replace one list; an empty one removes it."""
        self._lists.pop((scope, language), None)
        if commands:
            self._lists[(scope, language)] = commands

    def get(self, scope: Scope, language: str) -> list[Json]:
        """Exactly this list."""
        return self._lists.get((scope, language), [])

    def shown(self, language: str, chat: int | None, kind: ChatKind) -> dict[str, str]:
        """Command → description, for somebody with this language: the first list that exists."""
        code = language.split("-")[0]
        group = "all_private_chats" if kind is ChatKind.PRIVATE else "all_group_chats"
        scopes: list[Scope] = [(group, 0), ("default", 0)]
        if chat is not None:
            scopes.insert(0, ("chat", chat))
        for scope in scopes:
            for spoken in (code, ""):
                if found := self.get(scope, spoken):
                    return {entry["command"]: entry["description"] for entry in found}
        return {}


def set_my_commands(telegram: Telegram, params: Params) -> bool:
    """https://core.telegram.org/bots/api#setmycommands."""
    value = params.parsed("commands", "commands")
    if not isinstance(value, list):
        raise BadRequest("Expected an Array of BotCommand")
    if len(value) > MAX_COMMANDS:
        raise BadRequest("BOT_COMMANDS_TOO_MUCH")
    commands = [_command(entry) for entry in value]
    telegram.commands.set(_scope(telegram, params), _language(params), commands)
    telegram.changes.tell(0, "menu")
    return True


def get_my_commands(telegram: Telegram, params: Params) -> list[Json]:
    """https://core.telegram.org/bots/api#getmycommands."""
    return telegram.commands.get(_scope(telegram, params), _language(params))


def delete_my_commands(telegram: Telegram, params: Params) -> bool:
    """https://core.telegram.org/bots/api#deletemycommands."""
    telegram.commands.set(_scope(telegram, params), _language(params), [])
    telegram.changes.tell(0, "menu")
    return True


def _command(entry: object) -> Json:
    if not isinstance(entry, dict):
        raise BadRequest("Can't parse BotCommand: expected an Object")
    name = str(entry.get("command", "")).removeprefix("/")
    description = str(entry.get("description", "")).strip()
    if not re.fullmatch(r"[a-z0-9_]{1,32}", name):
        raise BadRequest("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= MAX_DESCRIPTION:
        raise BadRequest("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}


def _scope(telegram: Telegram, params: Params) -> Scope:
    value = params.parsed("scope", "BotCommandScope")
    if value is None:
        return ("default", 0)
    kind = str(value.get("type", "")) if isinstance(value, dict) else ""
    if kind in _GENERAL:
        return (kind, 0)
    if isinstance(value, dict) and kind in _OF_CHAT:
        return (kind, telegram.readable(str(value.get("chat_id", ""))).id)
    raise BadRequest("Unsupported type specified")


def _language(params: Params) -> str:
    code = params.text("language_code")
    if code and not re.fullmatch(r"[a-z]{2,3}", code):
        raise BadRequest("LANG_CODE_INVALID")
    return code
