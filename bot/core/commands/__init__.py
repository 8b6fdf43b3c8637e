"""The commands, a file per family, and the one table they stand in."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.core.commands import admin, again, chats, model, settings
from bot.core.commands.chats import CHATS, NEW
from bot.core.commands.conversation import START, STOP
from bot.core.commands.help import HELP
from bot.core.commands.image import IMAGE
from bot.core.commands.model import MODEL
from bot.core.commands.settings import SETTINGS_COMMAND
from bot.core.commands.table import ActionHandler, CommandTable

COMMANDS = CommandTable(
    (NEW, CHATS, STOP, MODEL, SETTINGS_COMMAND, IMAGE, START, HELP, *admin.COMMANDS)
)

ACTIONS: Mapping[str, ActionHandler] = {
    **model.ACTIONS,
    **settings.ACTIONS,
    **again.ACTIONS,
    **chats.ACTIONS,
    **admin.ACTIONS,
}
"""What the buttons do, by the name of their action."""

QUEUED: Collection[str] = again.ACTIONS
"""Buttons that ask the model: their press waits for its turn, and counts once."""

__all__ = ["ACTIONS", "COMMANDS", "QUEUED"]
