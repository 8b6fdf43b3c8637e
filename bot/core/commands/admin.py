"""What only admins may do: the commands, and the actions of their buttons."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.commands import people
from bot.core.commands.people import ALLOW, DENY, USERS
from bot.core.commands.quota import QUOTA
from bot.core.commands.table import ActionHandler, Command

COMMANDS: tuple[Command, ...] = (ALLOW, DENY, USERS, QUOTA)
ACTIONS: Mapping[str, ActionHandler] = people.ACTIONS
