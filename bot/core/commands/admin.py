"""What only admins may do: the commands, and the actions of their buttons."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.commands import broadcast, people
from bot.core.commands.broadcast import BROADCAST
from bot.core.commands.people import ALLOW, DENY, USERS
from bot.core.commands.quota import QUOTA
from bot.core.commands.stats import STATS
from bot.core.commands.table import ActionHandler, Command

COMMANDS: tuple[Command, ...] = (ALLOW, DENY, USERS, QUOTA, STATS, BROADCAST)
ACTIONS: Mapping[str, ActionHandler] = {**people.ACTIONS, **broadcast.ACTIONS}
