"""Broadcasts and how far each is: the port `Broadcasts`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from bot.core.broadcasts import Broadcasts, Delivered, Progress
from bot.core.types import ChatRef, MessageId, MessageRef, Person, UserId
from bot.store.belonging import chat_columns, chat_of, in_chat, person_columns
from bot.store.columns import utc_now
from bot.store.database import Table, insert
from bot.store.drivers.connection import Connection
from bot.store.schema import BY_PERSON, broadcast_chats, broadcasts, conversations, messages

LATEST = 100
"""Broadcasts whose messages are looked for, at most."""
_DRAFT = "draft"
_RUNNING = "running"
_STOPPED = "stopped"
_PLACE = (conversations.c.platform, conversations.c.chat)
_SPOKEN = (
    sa.select(messages.c.conversation_id, messages.c.sender_id)
    .where(sa.text(BY_PERSON))
    .distinct()
    .subquery()
)
"""Read from the index alone: the rows hold all that was ever said."""
_WHO_SPOKE = (
    sa.select(*_PLACE, _SPOKEN.c.sender_id)
    .select_from(conversations.outerjoin(_SPOKEN, _SPOKEN.c.conversation_id == conversations.c.id))
    .distinct()
)


class BroadcastTable(Table, Broadcasts):
    """The texts in one table, and in another how far each is with each chat."""

    async def chats(self) -> Mapping[ChatRef, Collection[UserId]]:
        found: dict[ChatRef, list[UserId]] = {}
        for row in await self._database.rows(_WHO_SPOKE):
            people = found.setdefault(chat_of(row), [])
            if row.sender_id:
                people.append(UserId(row.sender_id))
        return found

    async def draft(self, text: str, by: Person) -> int:
        statement = (
            sa.insert(broadcasts)
            .values(**person_columns(by), text=text, state=_DRAFT, created_at=utc_now())
            .returning(broadcasts.c.id)
        )

        async def job(connection: Connection) -> int:
            number: int = (await connection.execute(statement)).scalar_one()
            return number

        return await self._database.write(job)

    async def start(self, number: int, chats: Sequence[ChatRef]) -> str | None:
        this = broadcasts.c.id == number
        begin = sa.update(broadcasts).where(this, broadcasts.c.state == _DRAFT)
        look = sa.select(broadcasts.c.text).where(this, broadcasts.c.state == _RUNNING)
        rows = [
            {"broadcast_id": number, **chat_columns(chat), "state": Delivered.WAITING.value}
            for chat in chats
        ]

        async def job(connection: Connection) -> str | None:
            begun = await connection.execute(begin.values(state=_RUNNING))
            if begun.rowcount and rows:
                new = insert(connection, broadcast_chats).on_conflict_do_nothing()
                await connection.execute(new, rows)
            text: str | None = (await connection.execute(look)).scalar_one_or_none()
            return text

        return await self._database.write(job)

    async def next(self, number: int) -> ChatRef | None:
        running = sa.exists().where(broadcasts.c.id == number, broadcasts.c.state == _RUNNING)
        first = (
            sa.select(broadcast_chats.c.platform, broadcast_chats.c.chat)
            .where(
                broadcast_chats.c.broadcast_id == number,
                broadcast_chats.c.state == Delivered.WAITING.value,
                running,
            )
            .order_by(broadcast_chats.c.platform, broadcast_chats.c.chat)
            .limit(1)
            .with_for_update(skip_locked=True, of=broadcast_chats)
        )

        async def job(connection: Connection) -> ChatRef | None:
            row = (await connection.execute(first)).one_or_none()
            if row is None:
                return None
            chat = chat_of(row)
            await connection.execute(_marked(number, chat, Delivered.SENDING))
            return chat

        return await self._database.write(job)

    async def mark(
        self, number: int, chat: ChatRef, state: Delivered, message: MessageRef | None = None
    ) -> None:
        statement = _marked(number, chat, state)
        if message is not None:
            statement = statement.values(message=message.id)
        await self._database.change(statement)

    async def posted(self, chat: ChatRef) -> Sequence[MessageRef]:
        latest = sa.select(broadcasts.c.id).order_by(broadcasts.c.id.desc()).limit(LATEST)
        query = (
            sa.select(broadcast_chats.c.message)
            .where(
                broadcast_chats.c.broadcast_id.in_(latest),
                *in_chat(broadcast_chats, chat),
                broadcast_chats.c.message != "",
            )
            .order_by(broadcast_chats.c.broadcast_id)
        )
        found = await self._database.rows(query)
        return [MessageRef(chat, MessageId(row.message)) for row in found]

    async def stop(self, number: int) -> None:
        this = sa.update(broadcasts).where(broadcasts.c.id == number)
        await self._database.change(this.values(state=_STOPPED))

    async def progress(self, number: int) -> Progress:
        query = (
            sa.select(broadcast_chats.c.state, sa.func.count().label("chats"))
            .where(broadcast_chats.c.broadcast_id == number)
            .group_by(broadcast_chats.c.state)
        )
        count: dict[str, int] = {row.state: row.chats for row in await self._database.rows(query)}
        return Progress(
            waiting=count.get(Delivered.WAITING, 0),
            unknown=count.get(Delivered.SENDING, 0),
            sent=count.get(Delivered.SENT, 0),
            gone=count.get(Delivered.GONE, 0),
            failed=count.get(Delivered.FAILED, 0),
        )


def _marked(number: int, chat: ChatRef, state: Delivered) -> sa.Update:
    return (
        sa.update(broadcast_chats)
        .where(broadcast_chats.c.broadcast_id == number, *in_chat(broadcast_chats, chat))
        .values(state=state.value)
    )
