"""Summaries of conversations: the port `Summaries`."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.archive import Summary
from bot.core.limits.calendar import Calendar
from bot.core.models import UsageEntry
from bot.core.types import UserId
from bot.store.archive import charge
from bot.store.columns import utc_now
from bot.store.connection import Connection
from bot.store.database import Database
from bot.store.schema import conversations, messages, summaries


class SummaryTable:
    """`Summaries`."""

    def __init__(self, database: Database, calendar: Calendar) -> None:
        self._database = database
        self._calendar = calendar

    async def latest(self, conversation: int) -> Summary | None:
        """The summary that reaches furthest."""
        query = (
            sa.select(summaries.c.text, summaries.c.through_id)
            .where(summaries.c.conversation_id == conversation)
            .order_by(summaries.c.through_id.desc())
            .limit(1)
        )

        async def job(connection: Connection) -> Summary | None:
            row = (await connection.execute(query)).one_or_none()
            return None if row is None else Summary(text=row.text, through=row.through_id)

        return await self._database.read(job)

    async def size(self, conversation: int) -> int:
        """About how many characters were said since the latest summary."""
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

        async def job(connection: Connection) -> int:
            return int((await connection.execute(query)).scalar_one())

        return await self._database.read(job)

    async def keep(
        self, conversation: int, summary: Summary, *, asker: UserId, usage: Sequence[UsageEntry]
    ) -> None:
        """Keep a summary, and what it cost; none of what was deleted meanwhile."""
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
