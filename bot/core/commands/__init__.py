"""The commands, a file for each or for a few that belong together, and the one table of all."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.core.commands import (
    again,
    broadcast,
    changed,
    chats,
    context,
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
from bot.core.commands.table import ActionHandler, CommandTable
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

ACTIONS: Mapping[str, ActionHandler] = {
    **model.ACTIONS,
    **persona.ACTIONS,
    **sampling.ACTIONS,
    **settings.ACTIONS,
    **again.ACTIONS,
    **changed.ACTIONS,
    **chats.ACTIONS,
    **export.ACTIONS,
    **forget.ACTIONS,
    **people.ACTIONS,
    **broadcast.ACTIONS,
    **image.ACTIONS,
    **revive.ACTIONS,
}
"""What the buttons do, by the name of their action."""

QUEUED: Collection[str] = {**again.ACTIONS, **changed.ACTIONS}
"""Buttons that ask the model: their press waits for its turn, and counts once."""

IN_ORDER: Collection[str] = forget.IN_ORDER
"""Buttons whose press waits for its turn without asking the model, and counts once."""

EVERY_TIME: Collection[str] = image.ACTIONS
"""Buttons whose press waits for its turn, and counts as often as it comes."""

PANELS: Collection[str] = {
    **model.ACTIONS,
    **persona.ACTIONS,
    **sampling.ACTIONS,
    **settings.ACTIONS,
    **chats.ACTIONS,
}
"""Buttons that draw their message anew out of what was chosen; the last must know of all before."""

OUTSPOKEN: Collection[str] = {*QUEUED, *revive.ACTIONS, *model.OUTSPOKEN}
"""Buttons that may have something to say to who pressed them: a press can be answered once only, so
they do it themselves."""

__all__ = ["ACTIONS", "COMMANDS", "EVERY_TIME", "IN_ORDER", "OUTSPOKEN", "PANELS", "QUEUED"]
