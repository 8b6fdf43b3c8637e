"""The commands, a file per family, and the one table they stand in."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.commands.conversation import NEW, START, STOP
from bot.core.commands.help import HELP
from bot.core.commands.image import IMAGE
from bot.core.commands.model import MODEL, PAGE, SET, choose, turn_page
from bot.core.commands.table import ActionHandler, CommandTable

COMMANDS = CommandTable((NEW, STOP, MODEL, IMAGE, START, HELP))

ACTIONS: Mapping[str, ActionHandler] = {SET: choose, PAGE: turn_page}
"""What the buttons do, by the name of their action."""

__all__ = ["ACTIONS", "COMMANDS"]
