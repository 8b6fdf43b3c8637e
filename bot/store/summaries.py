"""Summaries of conversations: the port `Summaries`."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.chat import KeptMessage
from bot.core.models import UsageEntry
from bot.core.summaries import Summaries, Summary
from bot.core.types import UserId
from bot.store import message_rows
from bot.store.archive import charge
from bot.store.columns import utc_now
from bot.store.database import DatedTable
from bot.store.drivers.connection import Connection, exists
from bot.store.schema import messages, summaries


class SummaryTable(DatedTable, Summaries):
    """The summaries in the table of that name, all of each conversation."""

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
        self,
        conversation: int,
        summary: Summary,
        *,
        of: Sequence[KeptMessage],
        after: Summary | None = None,
        asker: UserId,
        usage: Sequence[UsageEntry],
    ) -> None:
        async def job(connection: Connection) -> None:
            await charge(connection, conversation, asker, usage, self._calendar)
            if not summary.text or not await message_rows.are_as_read(connection, of):
                return
            if after is not None and not await _stands(connection, conversation, after):
                return
            row = sa.insert(summaries).values(
                conversation_id=conversation,
                through_id=summary.through,
                text=summary.text,
                created_at=utc_now(),
            )
            await connection.execute(row)

        await self._database.write(job)


async def _stands(connection: Connection, conversation: int, summary: Summary) -> bool:
    """Whether a summary is still there: it goes with anything that it tells of."""
    is_same = summaries.c.through_id == summary.through
    return await exists(connection, summaries.c.conversation_id == conversation, is_same)
