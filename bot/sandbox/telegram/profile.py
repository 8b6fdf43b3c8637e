"""The bot about itself: getMe, its name and descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.telegram import wire
from bot.sandbox.telegram.errors import BadRequest
from bot.sandbox.telegram.params import Params
from bot.sandbox.telegram.state import Json

if TYPE_CHECKING:
    from bot.sandbox.telegram.telegram import Telegram

_LENGTHS = {"name": 64, "description": 512, "short_description": 120}
_TOO_LONG = {
    "name": "BOT_TITLE_INVALID",
    "description": "DESCRIPTION_TOO_LONG",
    "short_description": "ABOUT_TOO_LONG",
}


def get_me(telegram: Telegram, params: Params) -> Json:
    """https://core.telegram.org/bots/api#getme."""
    return wire.user(telegram.bot) | {
        "can_join_groups": True,
        "can_read_all_group_messages": not telegram.privacy,
        "supports_inline_queries": False,
        "supports_guest_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": False,
        "allows_users_to_create_topics": False,
        "can_manage_bots": False,
    }


def set_my_name(telegram: Telegram, params: Params) -> bool:
    """https://core.telegram.org/bots/api#setmyname."""
    return _set(telegram, params, "name")


def get_my_name(telegram: Telegram, params: Params) -> Json:
    """https://core.telegram.org/bots/api#getmyname."""
    return _get(telegram, params, "name") or {"name": telegram.bot.name}


def set_my_description(telegram: Telegram, params: Params) -> bool:
    """https://core.telegram.org/bots/api#setmydescription."""
    return _set(telegram, params, "description")


def get_my_description(telegram: Telegram, params: Params) -> Json:
    """https://core.telegram.org/bots/api#getmydescription."""
    return _get(telegram, params, "description") or {"description": ""}


def set_my_short_description(telegram: Telegram, params: Params) -> bool:
    """https://core.telegram.org/bots/api#setmyshortdescription."""
    return _set(telegram, params, "short_description")


def get_my_short_description(telegram: Telegram, params: Params) -> Json:
    """https://core.telegram.org/bots/api#getmyshortdescription."""
    return _get(telegram, params, "short_description") or {"short_description": ""}


def _set(telegram: Telegram, params: Params, what: str) -> bool:
    text = params.text(what)
    if len(text) > _LENGTHS[what]:
        raise BadRequest(_TOO_LONG[what])
    telegram.profile[(what, params.text("language_code"))] = text
    telegram.changes.tell(0, "profile")
    return True


def _get(telegram: Telegram, params: Params, what: str) -> Json:
    for language in (params.text("language_code"), ""):
        if text := telegram.profile.get((what, language)):
            return {what: text}
    return {}
