"""What the requests to the API have cost, each on a row, under the person who asked."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.limits.calendar import Calendar
from bot.core.models import UsageEntry
from bot.core.types import ChatRef, Person, UserId
from bot.store import totals
from bot.store.belonging import chat_columns
from bot.store.columns import utc_now
from bot.store.drivers.connection import Connection
from bot.store.schema import usage

_KEEPING = sa.insert(usage).values(created_at=utc_now())


async def keep(
    connection: Connection,
    chat: ChatRef,
    user: UserId,
    entries: Sequence[UsageEntry],
    calendar: Calendar,
) -> None:
    """Add entries, to the rows and to the sums."""
    if not entries:
        return
    rows = [
        {
            **chat_columns(chat),
            "user_id": user,
            "kind": entry.kind.value,
            "model": entry.model,
            "prompt_tokens": entry.prompt_tokens,
            "completion_tokens": entry.completion_tokens,
            "images": entry.images,
            "seconds": entry.seconds,
            "cost": entry.cost,
            "latency": entry.latency,
            "first_token": entry.first_token,
            "estimated": entry.estimated,
        }
        for entry in entries
    ]
    await connection.execute(_KEEPING, rows)
    await totals.add(connection, Person(chat.platform, user), entries, calendar)
