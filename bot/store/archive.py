"""The conversations of a chat as a list, with titles: the port `Archive`."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.archive import Archive, Shelved
from bot.core.chat import KeptMessage
from bot.core.limits.calendar import Calendar
from bot.core.models import UsageEntry
from bot.core.types import ChatRef, UserId
from bot.store import message_rows, usage_rows
from bot.store.belonging import chat_of, in_chat
from bot.store.database import DatedTable
from bot.store.drivers.connection import Connection, exists
from bot.store.schema import conversations


class ArchiveTable(DatedTable, Archive):
    """The conversations in the table of that name."""

    async def listed(self, chat: ChatRef, *, offset: int = 0, limit: int = 10) -> Sequence[Shelved]:
        query = (
            _shelved(chat)
            .order_by(conversations.c.active_at.desc(), conversations.c.id.desc())
            .offset(offset)
            .limit(limit)
        )
        return [Shelved(**row._mapping) for row in await self._database.rows(query)]

    async def count(self, chat: ChatRef) -> int:
        query = sa.select(sa.func.count()).select_from(_shelved(chat).subquery())
        return await self._database.scalar(query) or 0

    async def find(self, chat: ChatRef, number: int) -> Shelved | None:
        row = await self._database.row(_shelved(chat).where(conversations.c.number == number))
        return None if row is None else Shelved(**row._mapping)

    async def resume(self, chat: ChatRef, conversation: int) -> bool:
        async def job(connection: Connection) -> bool:
            if not await exists(connection, *_listed(chat), conversations.c.id == conversation):
                return False
            others = _of(chat).where(sa.text("current"), conversations.c.id != conversation)
            await connection.execute(others.values(current=False))
            this = _of(chat).where(conversations.c.id == conversation)
            await connection.execute(this.values(current=True))
            return True

        return await self._database.write(job)

    async def rename(self, chat: ChatRef, conversation: int, title: str) -> bool:
        this = _of(chat).where(conversations.c.id == conversation)
        return await self._database.change(this.values(title=title)) > 0

    async def delete(self, chat: ChatRef, conversation: int) -> bool:
        statement = sa.delete(conversations).where(
            *in_chat(conversations, chat), conversations.c.id == conversation
        )

        async def job(connection: Connection) -> bool:
            deleted = (await connection.execute(statement)).rowcount > 0
            await message_rows.drop_unused_files(connection)
            return deleted

        is_deleted = await self._database.write(job)
        self._database.empty_log_soon()
        return is_deleted

    async def untitled(self, conversation: int) -> bool:
        query = sa.select(conversations.c.title).where(conversations.c.id == conversation)
        return await self._database.scalar(query) == ""

    async def entitle(
        self,
        conversation: int,
        title: str,
        *,
        of: Sequence[KeptMessage],
        asker: UserId,
        usage: Sequence[UsageEntry] = (),
    ) -> None:
        statement = (
            sa.update(conversations)
            .where(conversations.c.id == conversation, conversations.c.title == "")
            .values(title=title)
        )

        async def job(connection: Connection) -> None:
            if await message_rows.are_as_read(connection, of):
                await connection.execute(statement)
            await charge(connection, conversation, asker, usage, self._calendar)

        await self._database.write(job)


async def charge(
    connection: Connection,
    conversation: int,
    asker: UserId,
    entries: Sequence[UsageEntry],
    calendar: Calendar,
) -> None:
    """Keep what was used for a conversation outside of a turn."""
    query = sa.select(conversations.c.platform, conversations.c.chat).where(
        conversations.c.id == conversation
    )
    row = (await connection.execute(query)).one_or_none()
    if row is not None:
        await usage_rows.keep(connection, chat_of(row), asker, entries, calendar)


def _shelved(chat: ChatRef) -> sa.Select[tuple[int, int, str, object, bool]]:
    return sa.select(
        conversations.c.id,
        conversations.c.number,
        conversations.c.title,
        conversations.c.active_at.label("active"),
        conversations.c.current,
    ).where(*_listed(chat))


def _listed(chat: ChatRef) -> tuple[sa.ColumnElement[bool], ...]:
    return (*in_chat(conversations, chat), conversations.c.active_at.is_not(None))


def _of(chat: ChatRef) -> sa.Update:
    return sa.update(conversations).where(*in_chat(conversations, chat))
