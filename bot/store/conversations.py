"""Which conversation a chat is in, and its history: the port `Conversations`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import sqlalchemy as sa

from bot.core.archive import Summary
from bot.core.chat import ImagePart, KeptMessage
from bot.core.stores import History
from bot.core.types import ChatRef
from bot.errors import StoreError
from bot.store import messages
from bot.store.codec import UndecodableError
from bot.store.columns import utc_now
from bot.store.connection import Connection
from bot.store.database import Database, insert_for
from bot.store.schema import conversations, summaries


class ConversationTable:
    """`Conversations`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self, chat: ChatRef) -> int:
        """The id of the chat's conversation; begins one when there is none."""
        found = await self._database.read(lambda connection: _current(connection, chat))
        if found is not None:
            return found
        return await self._database.write(lambda connection: current(connection, chat))

    async def history(
        self, chat: ChatRef, *, before: int | None = None, limit: int = 50
    ) -> History:
        """The chat's conversation with its newest messages and its summary; begins none."""

        async def job(connection: Connection) -> History:
            found = (await connection.execute(_SUMMED, _named(chat))).one_or_none()
            if found is None:
                return History()
            newest = await messages.page(connection, found.id, before=before, limit=limit)
            summary = (
                None if found.text is None else Summary(text=found.text, through=found.through_id)
            )
            return History(conversation=found.id, newest=newest, summary=summary)

        with _readable(f"of {chat.platform}:{chat.id}"):
            return await self._database.read(job)

    async def begin(self, chat: ChatRef) -> int:
        """Begin a new conversation; the old one is kept. One without a word is good enough."""

        async def job(connection: Connection) -> int:
            spoken = conversations.c.active_at.is_not(None)
            await connection.execute(
                sa.update(conversations).where(_is_current(chat), spoken).values(current=False)
            )
            return await current(connection, chat)

        return await self._database.write(job)

    async def page(
        self, conversation: int, *, before: int | None = None, limit: int = 50
    ) -> Sequence[KeptMessage]:
        """The newest messages older than the message id `before`, oldest first."""
        with _readable(str(conversation)):
            return await self._database.read(
                lambda connection: messages.page(
                    connection, conversation, before=before, limit=limit
                )
            )

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


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except UndecodableError as error:
        raise StoreError(f"conversation {name} is not readable: {error}") from error


_IS_NAMED = sa.and_(
    conversations.c.platform == sa.bindparam("platform"),
    conversations.c.chat == sa.bindparam("chat"),
    sa.text("current"),
)
_CURRENT = sa.select(conversations.c.id).where(_IS_NAMED)

_others = summaries.alias()
_SUMMED = (
    sa.select(conversations.c.id, summaries.c.text, summaries.c.through_id)
    .outerjoin_from(
        conversations,
        summaries,
        summaries.c.id
        == sa.select(_others.c.id)
        .where(_others.c.conversation_id == conversations.c.id)
        .order_by(_others.c.through_id.desc())
        .limit(1)
        .scalar_subquery(),
    )
    .where(_IS_NAMED)
)
"""The current conversation, and the summary that reaches furthest."""


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
    found: int | None = (await connection.execute(_CURRENT, _named(chat))).scalar_one_or_none()
    return found


def _named(chat: ChatRef) -> dict[str, str]:
    return {"platform": chat.platform, "chat": chat.id}


async def current(connection: Connection, chat: ChatRef) -> int:
    """The chat's current conversation, made unless another process has just made it."""
    found = await _current(connection, chat)
    if found is None:
        row = _named(chat) | {"in_platform": chat.platform, "in_chat": chat.id}
        await connection.execute(_opening(connection.dialect.name), row)
        found = await _current(connection, chat)
    assert found is not None  # a unique index kept the row out only if there is one
    return found
