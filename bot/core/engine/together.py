"""Short messages that came in a row while an answer was being written: answered as one. Pure."""

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


def row(lead: IncomingMessage, following: Sequence[Turn], *, anew: bool) -> list[Turn]:
    """Those that directly follow a message and are answered together with it.

    `anew`: an answer to it stands in the chat already, and is written over. What has a line below
    that says that it waits was no part of that answer: it is answered where its line stands.
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
