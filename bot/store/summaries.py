"""Summaries of conversations: the port `Summaries`."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.archive import Summaries, Summary
from bot.core.limits.calendar import Calendar
from bot.core.models import UsageEntry
from bot.core.types import UserId
from bot.store.archive import charge
from bot.store.columns import utc_now
from bot.store.connection import Connection
from bot.store.database import Database
from bot.store.schema import conversations, messages, summaries


class SummaryTable(Summaries):
    """The summaries in the table of that name, all of each conversation."""

    def __init__(self, database: Database, calendar: Calendar) -> None:
        self._database = database
        self._calendar = calendar

    async def latest(self, conversation: int) -> Summary | None:
        query = (
            sa.select(summaries.c.text, summaries.c.through_id)
            .where(summaries.c.conversation_id == conversation)
            .order_by(summaries.c.through_id.desc())
            .limit(1)
        )
        row = await self._database.row(query)
        return None if row is None else Summary(text=row.text, through=row.through_id)

    async def size(self, conversation: int) -> int:
        through = (
            sa.select(sa.func.coalesce(sa.func.max(summaries.c.through_id), 0))
            .where(summaries.c.conversation_id == conversation)
            .scalar_subquery()
        )
        query = sa.select(sa.func.coalesce(sa.func.sum(sa.func.length(messages.c.parts)), 0)).where(
            messages.c.conversation_id == conversation,
            messages.c.id > through,
            sa.not_(messages.c.hidden),
        )
        return int(await self._database.scalar(query) or 0)

    async def keep(
        self, conversation: int, summary: Summary, *, asker: UserId, usage: Sequence[UsageEntry]
    ) -> None:
        # What was deleted meanwhile is not told of.
        still = sa.select(conversations.c.id).where(
            conversations.c.id == conversation,
            sa.exists().where(
                messages.c.conversation_id == conversation, messages.c.id == summary.through
            ),
        )

        async def job(connection: Connection) -> None:
            await charge(connection, conversation, asker, usage, self._calendar)
            if (await connection.execute(still)).first() is not None:
                row = sa.insert(summaries).values(
                    conversation_id=conversation,
                    through_id=summary.through,
                    text=summary.text,
                    created_at=utc_now(),
                )
                await connection.execute(row)

        await self._database.write(job)
