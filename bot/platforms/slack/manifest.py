"""The app that an operator creates at api.slack.com from one text: scopes, events, commands.

Source: docs.slack.dev, "App manifest reference".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.core.i18n import N_
from bot.core.types import CommandInfo
from bot.platforms.slack.greeting import prompts

SCOPES = {
    "app_mentions:read": N_("hear mentions"),
    "assistant:write": N_("show that it is at work"),
    "channels:history": N_("hear threads in public channels"),
    "chat:write": N_("write"),
    "chat:write.public": N_("answer commands in channels it was not invited to"),
    "commands": N_("take slash commands"),
    "files:read": N_("fetch pictures and voice clips"),
    "files:write": N_("post pictures"),
    "groups:history": N_("hear threads in private channels"),
    "im:history": N_("hear direct messages"),
    "mpim:history": N_("hear group direct messages"),
    "users:read": N_("know names and languages"),
}
"""Every scope the bot needs, and for what."""
EVENTS = (
    "agent_session_stopped",
    "app_home_opened",
    "app_mention",
    "channel_id_changed",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
)


OWN_COMMAND = "/chinwag"
"""Takes any command by its name, or a question: `/chinwag search milk`."""
BUILT_IN = frozenset(
    {"active", "apps", "archive", "away", "call", "collapse", "dm", "dnd", "expand", "feed"}
    | {"feedback", "invite", "join", "keys", "kick", "leave", "me", "msg", "mute", "open", "part"}
    | {"prefs", "remind", "remove", "rename", "search", "shortcuts", "shrug", "star", "status"}
    | {"topic", "who"}
)
"""Slack's own commands: an app's are not reached by these names, so ours of the same name are there
as `/chinwag NAME` and `!NAME` only."""
COMMANDS = 50
"""Slash commands that an app may have."""


def manifest(commands: Sequence[CommandInfo], *, url: str = "") -> dict[str, Any]:
    """The manifest of the app, as a JSON object. With `url`, events are posted there."""
    where = {"request_url": url} if url else {}
    description = "An assistant that answers in direct messages, threads and channels"
    own = [command for command in commands if command.name not in BUILT_IN]
    return {
        "display_information": {"name": "Chinwag", "description": description},
        "features": {
            "agent_view": {
                "agent_description": description,
                "suggested_prompts": list(prompts("en")),
            },
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Chinwag", "always_online": True},
            "slash_commands": [_command(command, url) for command in [_OWN, *own]][:COMMANDS],
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {**where, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **where},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }


_OWN = CommandInfo(
    name=OWN_COMMAND.removeprefix("/"),
    summary="Use a command, or ask something",
    usage="[COMMAND or question]",
)


def _command(command: CommandInfo, url: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "command": f"/{command.name}",
        "description": command.summary,
        "should_escape": True,  # who is mentioned comes by id: others may have the name
    }
    found |= {"usage_hint": command.usage} if command.usage else {}
    return found | ({"url": url} if url else {})
