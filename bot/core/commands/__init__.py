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
    image,
    model,
    people,
    persona,
    redo,
    revive,
    sampling,
    settings,
)
from bot.core.commands.help import HELP
from bot.core.commands.image import IMAGE
from bot.core.commands.quota import QUOTA
from bot.core.commands.start_stop import START, STOP
from bot.core.commands.stats import STATS
from bot.core.commands.table import CommandTable, Handler
from bot.core.commands.transcribe import TRANSCRIBE, VOICE
from bot.core.commands.usage import USAGE

COMMANDS = CommandTable(
    (
        *chats.COMMANDS,
        *redo.COMMANDS,
        *context.COMMANDS,
        STOP,
        model.MODEL,
        *persona.COMMANDS,
        *sampling.COMMANDS,
        *settings.COMMANDS,
        IMAGE,
        TRANSCRIBE,
        VOICE,
        export.EXPORT,
        forget.FORGET,
        START,
        HELP,
        USAGE,
        *people.COMMANDS,
        QUOTA,
        STATS,
        broadcast.BROADCAST,
    )
)

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
