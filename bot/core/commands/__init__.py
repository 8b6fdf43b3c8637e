"""The commands, a file for each or for a few that belong together, and the one table of all."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.commands import (
    broadcast,
    chats,
    context,
    edited,
    export,
    forget,
    help,
    image,
    model,
    people,
    persona,
    quota,
    redo,
    revive,
    sampling,
    settings,
    start_stop,
    stats,
    transcribe,
    usage,
)
from bot.core.commands.table import CommandTable, Handler

COMMANDS = CommandTable(
    (
        chats.NEW,
        chats.CHATS,
        redo.RETRY,
        redo.UNDO,
        context.CONTEXT,
        start_stop.STOP,
        model.MODEL,
        persona.SYSTEM,
        persona.PERSONA,
        sampling.SET,
        settings.SETTINGS_COMMAND,
        settings.LANGUAGE,
        image.IMAGE,
        transcribe.TRANSCRIBE,
        transcribe.VOICE,
        export.EXPORT,
        forget.FORGET,
        start_stop.START,
        help.HELP,
        usage.USAGE,
        people.ALLOW,
        people.DENY,
        people.USERS,
        quota.QUOTA,
        stats.STATS,
        broadcast.BROADCAST,
    )
)
"""All commands, in the order in which `/help` and the platforms' menus list them."""

ACTIONS: Mapping[str, Handler] = {
    **model.ACTIONS,
    **persona.ACTIONS,
    **sampling.ACTIONS,
    **settings.ACTIONS,
    **redo.ACTIONS,
    **edited.ACTIONS,
    **chats.ACTIONS,
    **export.ACTIONS,
    **forget.ACTIONS,
    **people.ACTIONS,
    **broadcast.ACTIONS,
    **image.ACTIONS,
    **revive.ACTIONS,
}
"""What the buttons do, by the name of their action."""

__all__ = ["ACTIONS", "COMMANDS"]
