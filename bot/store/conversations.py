"""Which conversation a chat is in, and its history: the port `Conversations`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from bot.core.chat import ImagePart, KeptMessage
from bot.core.stores import Conversations, History
from bot.core.summaries import Summary
from bot.core.types import ChatRef
from bot.errors import StoreError
from bot.store import message_rows
from bot.store.belonging import chat_columns, in_asked_chat, in_chat
from bot.store.codec import UndecodableError
from bot.store.columns import utc_now
from bot.store.database import Database, insert_for
from bot.store.drivers.batches import Batches
from bot.store.drivers.connection import Connection
from bot.store.json_rows import as_json, rows_of
from bot.store.schema import conversations, summaries

READS = 32
"""Histories that are read together at most: the first of them waits for the last."""


@dataclass(frozen=True, slots=True)
class _Asked:
    chat: ChatRef
    before: int | None
    limit: int


class ConversationTable(Conversations):
    """The conversations in the table of that name; the histories of many are read together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._histories = Batches(database.submit_read, _histories, most=READS)

    async def current(self, chat: ChatRef) -> int:
        found = await self._database.read(_current, chat)
        if found is not None:
            return found
        return await self._database.write(current, chat)

    async def history(
        self, chat: ChatRef, *, before: int | None = None, limit: int = 50
    ) -> History:
        return await self._histories.add(_Asked(chat, before, limit))

    async def begin(self, chat: ChatRef) -> int:
        async def job(connection: Connection) -> int:
            spoken = conversations.c.active_at.is_not(None)  # one without a word is new enough
            here = sa.update(conversations).where(*in_chat(conversations, chat), spoken)
            await connection.execute(here.where(sa.text("current")).values(current=False))
            return await current(connection, chat)

        return await self._database.write(job)

    async def page(
        self, conversation: int, *, before: int | None = None, limit: int = 50
    ) -> Sequence[KeptMessage]:
        with _readable(str(conversation)):
            return await self._database.read(message_rows.page, conversation, before, limit)

    async def beginning(self, conversation: int, *, limit: int) -> Sequence[KeptMessage]:
        with _readable(str(conversation)):
            return await self._database.read(message_rows.beginning, conversation, limit)

    async def drawn(self, chat: ChatRef, digest: str = "") -> ImagePart | None:
        return await self._database.read(message_rows.drawn, chat, digest)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except UndecodableError as error:
        raise StoreError(f"conversation {name} is not readable: {error}") from error


_CURRENT = sa.select(conversations.c.id).where(*in_asked_chat(conversations), sa.text("current"))


@cache
def _summed(dialect: str) -> sa.Select[Any]:
    """The current conversation of each chat, and the summary that reaches furthest."""
    asked = rows_of(dialect, "chats", {"platform": "text", "chat": "text"})
    others = summaries.alias()
    furthest = (
        sa.select(others.c.id)
        .where(others.c.conversation_id == conversations.c.id)
        .order_by(others.c.through_id.desc())
        .limit(1)
        .scalar_subquery()
    )
    is_asked = sa.and_(
        conversations.c.platform == asked.c.platform,
        conversations.c.chat == asked.c.chat,
        sa.text("current"),
    )
    return (
        sa.select(conversations.c.id, summaries.c.text, summaries.c.through_id)
        .select_from(
            asked.outerjoin(conversations, is_asked).outerjoin(
                summaries, summaries.c.id == furthest
            )
        )
        .order_by(asked.c.number)
    )


async def _histories(
    connection: Connection, asked: Sequence[_Asked]
) -> Sequence[History | StoreError]:
    chats = as_json([chat_columns(each.chat) for each in asked])
    rows = (await connection.execute(_summed(connection.dialect.name), {"chats": chats})).all()
    return [await _history(connection, each, *row) for each, row in zip(asked, rows, strict=True)]


async def _history(
    connection: Connection, asked: _Asked, found: int | None, text: str | None, through: int | None
) -> History | StoreError:
    if found is None:
        return History()
    try:
        with _readable(f"of {asked.chat.platform}:{asked.chat.id}"):
            newest = await message_rows.page(connection, found, asked.before, asked.limit)
    except StoreError as error:
        return error
    summary = None if text is None or through is None else Summary(text=text, through=through)
    return History(conversation=found, newest=newest, summary=summary)


@cache
def _opening(dialect: str) -> sa.Insert:
    highest = sa.select(sa.func.coalesce(sa.func.max(conversations.c.number), 0)).where(
        conversations.c.platform == sa.bindparam("in_platform"),
        conversations.c.chat == sa.bindparam("in_chat"),
    )
    new = insert_for(dialect, conversations).values(
        current=True, created_at=utc_now(), number=highest.scalar_subquery() + 1
    )
    return new.on_conflict_do_nothing()


async def _current(connection: Connection, chat: ChatRef) -> int | None:
    return await connection.scalar(_CURRENT, chat_columns(chat))


async def current(connection: Connection, chat: ChatRef) -> int:
    """The chat's current conversation, made unless another process has just made it."""
    found = await _current(connection, chat)
    if found is None:
        row = chat_columns(chat) | {"in_platform": chat.platform, "in_chat": chat.id}
        await connection.execute(_opening(connection.dialect.name), row)
        found = await _current(connection, chat)
    assert found is not None  # a unique index kept the row out only if there is one
    return found
