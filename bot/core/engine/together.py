"""Which short messages in a row are answered as one: those that came while the bot was busy."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.commands.table import parse
from bot.core.queue import Turn
from bot.core.types import IncomingMessage

SHORT = 1_000
"""Characters of a message that is answered together with others; a longer one deserves its own."""
ROW = 10
"""Messages that are answered together at most."""


def may_join(message: IncomingMessage) -> bool:
    """Whether a message is mere words: no command, no file, no change of an older one."""
    plain = not message.attachments and not message.edited and not message.group
    return plain and len(message.text) <= SHORT and parse(message.text) is None


def followers(lead: IncomingMessage, following: Sequence[Turn], *, anew: bool) -> list[Turn]:
    """The turns directly after `lead` that are answered together with it.

    `anew`: an earlier attempt has shown an answer to `lead`, which is written over. A message that
    was told meanwhile that it waits is no part of that answer, and gets its own.
    """
    found: list[Turn] = []
    if not may_join(lead):
        return found
    for turn in following[: ROW - 1]:
        event = turn.event
        if not isinstance(event, IncomingMessage) or event.sender.id != lead.sender.id:
            break
        if not may_join(event) or turn.attempt > 1:  # what failed before is tried by itself
            break
        if anew and turn.shown:
            break
        found.append(turn)
    return found
