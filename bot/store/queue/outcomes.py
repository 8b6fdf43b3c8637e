"""What is kept of a turn that ends: what was said, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.core.chat import NewMessage
from bot.core.limits.calendar import Calendar
from bot.core.queue import Outcome, TurnState
from bot.core.types import ChatId, ChatRef, UserId
from bot.store import conversations, message_rows, usage_rows
from bot.store.belonging import chat_of
from bot.store.drivers.connection import Connection
from bot.store.overheard import drop_through, standing
from bot.store.privacy import FORGOTTEN
from bot.store.queue import lanes


@dataclass(frozen=True, slots=True)
class End:
    """A turn that is `over`, or an attempt of it; nothing of it stays if it is `forgotten`.

    `erased`: words were deleted with it.
    """

    turn_id: int
    chat: ChatRef
    user: UserId
    over: bool
    forgotten: bool
    erased: bool


def end(
    turn_id: int, row: sa.Row[*tuple[Any, ...]], state: TurnState, *, erased: bool = False
) -> End:
    """The end of the turn in a row; one that waits again is not forgotten yet."""
    chat = chat_of(row)
    over = state is not TurnState.WAITING
    return End(turn_id, chat, UserId(row.user_id), over, over and row.forgotten, erased)


async def keep(connection: Connection, end: End, outcome: Outcome, calendar: Calendar) -> None:
    """Keep the messages and the usage; of what is forgotten, only that it was used."""
    said: Sequence[NewMessage] = outcome.messages
    if outcome.overheard is not None:
        said = await standing(connection, end.chat, said)
    if outcome.question is not None and not await message_rows.stands(connection, outcome.question):
        said = ()
    if said and not end.forgotten:
        into = outcome.conversation or await conversations.current(connection, end.chat)
        await message_rows.keep(connection, into, said, turn_id=end.turn_id)
    await message_rows.hide(connection, outcome.hidden)
    if outcome.overheard is not None:
        await drop_through(connection, end.chat, outcome.overheard)
    charged = ChatRef(end.chat.platform, ChatId(FORGOTTEN)) if end.forgotten else end.chat
    await usage_rows.keep(connection, charged, end.user, outcome.usage, calendar)
    if outcome.revived is not None:
        await lanes.revive(connection, outcome.revived)
