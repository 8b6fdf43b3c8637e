"""Erases the words of one message from all that is kept: the history, remarks, buttons.

A question is deleted with its answer: that may repeat it, and makes no sense to a model without it.
Of several messages that were answered as one only the part is deleted. SQLite's log is emptied
a moment later: a chat may delete many at once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from bot.core.archive import TITLED
from bot.core.chat import NewMessage, Role
from bot.core.question.question import without
from bot.core.types import ChatRef, MessageId
from bot.store import codec, message_rows
from bot.store.belonging import in_chat
from bot.store.drivers.connection import Connection, exists
from bot.store.schema import (
    actions,
    conversations,
    files,
    message_files,
    messages,
    overheard,
    turns,
)

Row: TypeAlias = sa.Row[Any, Any, Any, Any]


async def erase(connection: Connection, chat: ChatRef, message: MessageId) -> bool:
    """Take the words of a message out of a chat; False when they are in none of its tables."""
    found = await _kept(connection, chat, message)
    for row in found:
        left = without(_question(row), message)
        if left is None:
            await _delete_exchange(connection, row)
        else:
            await _rewrite(connection, row.id, left)
    if found:
        await _forget_what_was_made_of(connection, found)
    remark = sa.delete(overheard).where(*in_chat(overheard, chat), overheard.c.message == message)
    return (await connection.execute(remark)).rowcount > 0 or bool(found)


async def is_said(connection: Connection, chat: ChatRef, message: MessageId) -> bool:
    """Whether anything that is kept is shown in a message, be it a question or an answer."""
    is_joined = messages.c.conversation_id == conversations.c.id
    return await exists(connection, is_joined, *_said_in(chat, message))


async def erase_buttons(connection: Connection, chat: ChatRef, turn_id: int) -> None:
    """Delete the buttons that a turn has offered, by when that was: words may stand in them."""
    this = turns.c.id == turn_id
    offered = actions.c.created_at.between(
        sa.select(turns.c.started_at).where(this).scalar_subquery(),
        sa.select(turns.c.finished_at).where(this).scalar_subquery(),
    )
    await connection.execute(sa.delete(actions).where(*in_chat(actions, chat), offered))


async def _kept(connection: Connection, chat: ChatRef, message: MessageId) -> list[Row]:
    """What people said in a message, hidden or not, oldest first.

    Only its id is looked for: the chat may have had another one when it was kept.
    """
    query = (
        sa.select(messages.c.id, messages.c.conversation_id, messages.c.parts, messages.c.shown)
        .join_from(messages, conversations)
        .where(*_said_in(chat, message), messages.c.role == Role.USER.value)
        .order_by(messages.c.id)
    )
    rows = (await connection.execute(query)).all()
    return [row for row in rows if message in {ref.id for ref in codec.SHOWN.load(row.shown)}]


def _said_in(chat: ChatRef, message: MessageId) -> tuple[sa.ColumnElement[bool], ...]:
    """The condition that something of a chat's conversations may be shown in a message."""
    shown = messages.c.shown.contains(json.dumps(message), autoescape=True)
    return (*in_chat(conversations, chat), shown)


def _question(row: Row) -> NewMessage:
    """The question without its pictures."""
    return NewMessage(
        role=Role.USER, parts=codec.load_words(row.parts), shown=codec.SHOWN.load(row.shown)
    )


async def _delete_exchange(connection: Connection, row: Row) -> None:
    """Delete a question with all that was answered to it: up to what a person said next."""
    others = messages.alias("others")
    following = (
        sa.select(sa.func.min(others.c.id))
        .where(
            others.c.conversation_id == row.conversation_id,
            others.c.id > row.id,
            others.c.role == Role.USER.value,
        )
        .scalar_subquery()
    )
    exchange = sa.select(messages.c.id).where(
        messages.c.conversation_id == row.conversation_id,
        messages.c.id >= row.id,
        sa.or_(following.is_(None), messages.c.id < following),
    )
    ids = (await connection.execute(exchange)).scalars().all()
    await _drop_pictures(connection, ids)
    await connection.execute(sa.delete(messages).where(messages.c.id.in_(ids)))


async def _drop_pictures(connection: Connection, message_ids: Sequence[int]) -> None:
    """Take the pictures out of messages; those that no other message holds are deleted."""
    links = sa.delete(message_files).where(message_files.c.message_id.in_(message_ids))
    held = await connection.execute(links.returning(message_files.c.sha256))
    if digests := set(held.scalars()):
        unused = sa.delete(files).where(files.c.sha256.in_(digests), ~message_rows.HELD)
        await connection.execute(unused)


async def _rewrite(connection: Connection, message_id: int, left: NewMessage) -> None:
    parts, _ = codec.dump_parts(left.parts)
    values = {"parts": parts, "shown": codec.SHOWN.dump(left.shown), "heading": ""}
    await connection.execute(sa.update(messages).where(messages.c.id == message_id).values(values))
    await _drop_pictures(connection, [message_id])


async def _forget_what_was_made_of(connection: Connection, found: Collection[Row]) -> None:
    """Delete summaries that tell of the messages, and titles that may; both are made anew."""
    for row in found:
        talk = [row.conversation_id]
        await message_rows.drop_summaries(connection, talk, since=row.id)
        before = sa.select(sa.func.count()).where(
            messages.c.conversation_id == row.conversation_id,
            messages.c.id < row.id,
            sa.not_(messages.c.hidden),
        )
        if (await connection.execute(before)).scalar_one() < TITLED:
            await message_rows.untitle(connection, talk)
    await message_rows.look_again(connection, sorted({row.conversation_id for row in found}))
