"""What others said in groups where the bot may listen: the port `Overheard`."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.chat import NewMessage, Role
from bot.core.overheard import Overheard, Remark
from bot.core.types import ChatRef, IncomingMessage, MessageId, MessageRef, UserId
from bot.store.belonging import in_chat
from bot.store.columns import utc_now
from bot.store.database import Table, insert
from bot.store.drivers.connection import Connection, exists
from bot.store.schema import overheard, turns


class OverheardTable(Table, Overheard):
    """The remarks in the table of that name."""

    async def note(self, message: IncomingMessage, *, keep: int) -> None:
        chat, sender = message.ref.chat, message.sender

        async def job(connection: Connection) -> None:
            is_known = (turns.c.platform == chat.platform, turns.c.key == message.key)
            if await exists(connection, *is_known, turns.c.withdrawn):
                return
            new = insert(connection, overheard).values(
                platform=chat.platform,
                key=message.key,
                chat=chat.id,
                sender_id=sender.id,
                sender_name=sender.name,
                text=message.text,
                message=message.ref.id,
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

    async def reword(self, message: IncomingMessage) -> None:
        said = (*in_chat(overheard, message.chat), overheard.c.message == message.ref.id)
        changed = sa.update(overheard).where(*said).values(text=message.text)
        await self._database.change(changed if message.text else sa.delete(overheard).where(*said))

    async def remarks(self, chat: ChatRef) -> Sequence[Remark]:
        query = sa.select(overheard).where(*in_chat(overheard, chat)).order_by(overheard.c.id)
        return [
            Remark(
                id=row.id,
                sender_id=UserId(row.sender_id),
                sender_name=row.sender_name,
                text=row.text,
                ref=MessageRef(chat, MessageId(row.message)) if row.message else None,
            )
            for row in await self._database.rows(query)
        ]

    async def drop(self, chat: ChatRef) -> None:
        await self._database.change(_all_of(chat))


async def standing(
    connection: Connection, chat: ChatRef, said: Sequence[NewMessage]
) -> Sequence[NewMessage]:
    """What was said to the bot, and of the remarks before it those that were not deleted since."""
    people = [each for each in said if each.role is Role.USER]
    refs = {each.shown[0].id: each for each in people[:-1] if each.shown}
    query = sa.select(overheard.c.message).where(
        *in_chat(overheard, chat), overheard.c.message.in_(list(refs))
    )
    for id in (await connection.execute(query)).scalars():
        refs.pop(MessageId(id), None)
    gone = list(refs.values())
    return [each for each in said if each not in gone]


async def drop_through(connection: Connection, chat: ChatRef, last: int) -> None:
    """Forget what is part of the history now."""
    await connection.execute(_all_of(chat).where(overheard.c.id <= last))


def _all_of(chat: ChatRef) -> sa.Delete:
    return sa.delete(overheard).where(*in_chat(overheard, chat))
