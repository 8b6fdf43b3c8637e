"""The bot about itself: getMe, and the menu of its commands."""

from __future__ import annotations

import re

from bot.sandbox.telegram import wire
from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import Json
from bot.sandbox.telegram.world import World

MAX_COMMANDS = 100
MAX_DESCRIPTION = 256


def get_me(world: World, params: Params) -> Json:
    """https://core.telegram.org/bots/api#getme."""
    return wire.user(world.bot) | {
        "can_join_groups": True,
        "can_read_all_group_messages": not world.privacy,
        "supports_inline_queries": False,
        "supports_guest_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
        "can_manage_bots": False,
    }


def set_my_commands(world: World, params: Params) -> bool:
    """https://core.telegram.org/bots/api#setmycommands; the same in every chat."""
    value = params.parsed("commands", "commands")
    if not isinstance(value, list):
        raise BadRequest("Expected an Array of BotCommand")
    if len(value) > MAX_COMMANDS:
        raise BadRequest("BOT_COMMANDS_TOO_MUCH")
    language = params.text("language_code")
    if language and not re.fullmatch(r"[a-z]{2,3}", language):
        raise BadRequest("LANG_CODE_INVALID")
    world.commands[language] = dict(map(_command, value))
    world.changes.tell(0, "menu")
    return True


def _command(entry: object) -> tuple[str, str]:
    """Name and description."""
    if not isinstance(entry, dict):
        raise BadRequest("Can't parse BotCommand: expected an Object")
    name = str(entry.get("command", "")).removeprefix("/")
    description = str(entry.get("description", "")).strip()
    if not re.fullmatch(r"[a-z0-9_]{1,32}", name):
        raise BadRequest("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= MAX_DESCRIPTION:
        raise BadRequest("BOT_COMMAND_DESCRIPTION_INVALID")
    return name, description
