"""Which conversation a chat is in, and its history: the port `Conversations`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import sqlalchemy as sa

from bot.core.chat import ImagePart, KeptMessage
from bot.core.types import ChatRef
from bot.errors import StoreError
from bot.store import messages
from bot.store.codec import UndecodableError
from bot.store.columns import utc_now
from bot.store.connection import Connection
from bot.store.database import Database, insert_for
from bot.store.schema import conversations


class ConversationTable:
    """`Conversations`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, chat: ChatRef) -> int:
        """The id of the chat's conversation; begins one when there is none."""
        found = await self._database.read(lambda connection: _current(connection, chat))
        if found is not None:
            return found
        return await self._database.write(lambda connection: _open(connection, chat))

    async def begin(self, chat: ChatRef) -> int:
        """Begin a new conversation; the old one is kept. One without a word is good enough."""

        async def job(connection: Connection) -> int:
            spoken = conversations.c.active_at.is_not(None)
            await connection.execute(
                sa.update(conversations).where(_is_current(chat), spoken).values(current=False)
            )
            return await _open(connection, chat)

        return await self._database.write(job)

    async def page(
        self, conversation: int, *, before: int | None = None, limit: int = 50
    ) -> Sequence[KeptMessage]:
        """The newest messages older than the message id `before`, oldest first."""
        try:
            return await self._database.read(
                lambda connection: messages.page(
                    connection, conversation, before=before, limit=limit
                )
            )
        except UndecodableError as error:
            raise StoreError(f"conversation {conversation} is not readable: {error}") from error

    async def drawn(self, chat: ChatRef, digest: str = "") -> ImagePart | None:
        """A picture that the bot drew in this chat; without a digest, the newest."""
        return await self._database.read(
            lambda connection: messages.drawn(connection, chat, digest)
        )


def _is_current(chat: ChatRef) -> sa.ColumnElement[bool]:
    return sa.and_(
        conversations.c.platform == chat.platform,
        conversations.c.chat == chat.id,
        sa.text("current"),
    )


_CURRENT = sa.select(conversations.c.id).where(
    conversations.c.platform == sa.bindparam("platform"),
    conversations.c.chat == sa.bindparam("chat"),
    sa.text("current"),
)


@cache
def _opening(dialect: str) -> sa.Insert:
    highest = sa.select(sa.func.coalesce(sa.func.max(conversations.c.number), 0)).where(
        conversations.c.platform == sa.bindparam("in_platform"),
        conversations.c.chat == sa.bindparam("in_chat"),
    )
    new = insert_for(dialect, conversations).values(
        current=True,
        created_at=utc_now(),
        number=highest.scalar_subquery() + 1,
    )
    return new.on_conflict_do_nothing()


async def _current(connection: Connection, chat: ChatRef) -> int | None:
    found: int | None = (
        await connection.execute(_CURRENT, {"platform": chat.platform, "chat": chat.id})
    ).scalar_one_or_none()
    return found


async def _open(connection: Connection, chat: ChatRef) -> int:
    """The chat's current conversation, made unless another process has just made it."""
    row = {"platform": chat.platform, "chat": chat.id, "in_platform": chat.platform}
    row |= {"in_chat": chat.id}
    await connection.execute(_opening(connection.dialect.name), row)
    found = await _current(connection, chat)
    assert found is not None  # a unique index kept the row out only if there is one
    return found
