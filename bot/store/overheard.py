"""What others said in groups where the bot may listen: the port `Overheard`."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.archive import Remark
from bot.core.types import ChatRef, IncomingMessage, UserId
from bot.store.columns import utc_now
from bot.store.connection import Connection
from bot.store.database import Database, insert
from bot.store.schema import in_chat, overheard


class OverheardTable:
    """`Overheard`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, message: IncomingMessage, *, keep: int) -> None:
        """Keep what was said, once; of the chat's remarks only the newest `keep` stay."""
        chat, sender = message.ref.chat, message.sender

        async def job(connection: Connection) -> None:
            new = insert(connection, overheard).values(
                platform=chat.platform,
                key=message.key,
                chat=chat.id,
                sender_id=sender.id,
                sender_name=sender.name,
                text=message.text,
                created_at=utc_now(),
            )
            await connection.execute(new.on_conflict_do_nothing())
            newest = (
                sa.select(overheard.c.id)
                .where(*in_chat(overheard, chat))
                .order_by(overheard.c.id.desc())
                .offset(keep)
                .limit(1)
                .scalar_subquery()
            )
            await connection.execute(_all_of(chat).where(overheard.c.id <= newest))

        await self._database.write(job)

    async def remarks(self, chat: ChatRef) -> Sequence[Remark]:
        """What was said since the last answer, oldest first."""
        query = sa.select(overheard).where(*in_chat(overheard, chat)).order_by(overheard.c.id)

        async def job(connection: Connection) -> Sequence[Remark]:
            return [
                Remark(
                    id=row.id,
                    sender_id=UserId(row.sender_id),
                    sender_name=row.sender_name,
                    text=row.text,
                )
                for row in (await connection.execute(query)).all()
            ]

        return await self._database.read(job)

    async def drop(self, chat: ChatRef) -> None:
        """Forget what was said."""

        async def job(connection: Connection) -> None:
            await connection.execute(_all_of(chat))

        await self._database.write(job)


async def drop_through(connection: Connection, chat: ChatRef, last: int) -> None:
    """Forget what is part of the history now."""
    await connection.execute(_all_of(chat).where(overheard.c.id <= last))


def _all_of(chat: ChatRef) -> sa.Delete:
    return sa.delete(overheard).where(*in_chat(overheard, chat))
