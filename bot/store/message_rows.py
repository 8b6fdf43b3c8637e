"""The messages of a conversation, and the pictures in them, each kept once."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from bot.core.chat import ImagePart, KeptMessage, MessageState, NewMessage, Role
from bot.core.types import ChatRef
from bot.store import codec
from bot.store.belonging import in_chat
from bot.store.columns import utc_now
from bot.store.database import insert
from bot.store.drivers.connection import Connection, exists
from bot.store.schema import conversations, files, message_files, messages, summaries

HELD = sa.exists().where(message_files.c.sha256 == files.c.sha256)
"""The condition that a message holds the picture of a row of `files`."""
_ACTIVE = (
    sa.update(conversations)
    .where(conversations.c.id == sa.bindparam("conversation"))
    .values(active_at=utc_now())
)
_KEEPING = sa.insert(messages).values(created_at=utc_now())
_NUMBERED = _KEEPING.returning(messages.c.id, sort_by_parameter_order=True)
"""Slower: SQLite says so only of one row after the other."""


async def keep(
    connection: Connection, conversation: int, new: Sequence[NewMessage], *, turn_id: int
) -> None:
    """Add what came of a turn to a conversation, in order; nothing to one that is deleted."""
    if not new:
        return
    if (await connection.execute(_ACTIVE, {"conversation": conversation})).rowcount == 0:
        return
    rows, pictures = [], []
    for message in new:
        parts, inside = codec.dump_parts(message.parts)
        held = {sha256(each.data).hexdigest(): (each.data, each.mime) for each in message.drawn}
        pictures.append(held | {digest: (content, "") for digest, content in inside.items()})
        rows.append(
            {
                "conversation_id": conversation,
                "role": message.role.value,
                "parts": parts,
                "tool_calls": codec.TOOL_CALLS.dump(message.tool_calls)
                if message.tool_calls
                else None,
                "tool_call_id": message.tool_call_id,
                "sender_id": message.sender_id,
                "sender_name": message.sender_name,
                "model": message.model,
                "usage": None if message.usage is None else codec.USAGE.dump(message.usage),
                "state": message.state.value,
                "shown": codec.SHOWN.dump(message.shown),
                "heading": message.heading,
                "turn_id": turn_id,
            }
        )
    if not any(pictures):
        await connection.execute(_KEEPING, rows)
        return
    ids = (await connection.execute(_NUMBERED, rows)).scalars().all()
    for message_id, held in zip(ids, pictures, strict=True):
        for digest, (content, drawn) in held.items():
            await _keep_picture(connection, message_id, digest, content, drawn)


async def stands(connection: Connection, message_id: int) -> bool:
    """Whether a message is still there, hidden or not."""
    return await exists(connection, messages.c.id == message_id)


async def are_as_read(connection: Connection, read: Sequence[KeptMessage]) -> bool:
    """Whether no message, nor a part of one, was deleted or hidden since these were read."""
    query = sa.select(messages.c.id, messages.c.shown).where(
        messages.c.id.in_([each.id for each in read]), sa.not_(messages.c.hidden)
    )
    found = {row.id: codec.SHOWN.load(row.shown) for row in (await connection.execute(query)).all()}
    return found == {each.id: each.message.shown for each in read}


async def hide(connection: Connection, message_ids: Sequence[int]) -> None:
    """Take messages out of their conversation, and out of its summary; they stay in the table."""
    if not message_ids:
        return
    hidden = sa.update(messages).where(messages.c.id.in_(message_ids)).values(hidden=True)
    where = hidden.returning(messages.c.conversation_id)
    conversation_ids = sorted(set((await connection.execute(where)).scalars()))
    await drop_summaries(connection, conversation_ids, since=min(message_ids))
    await look_again(connection, conversation_ids)


async def drop_summaries(
    connection: Connection, conversation_ids: Sequence[int], *, since: int = 0
) -> None:
    """Delete the summaries of conversations that tell of a message `since` this one."""
    stale = sa.delete(summaries).where(
        summaries.c.conversation_id.in_(conversation_ids), summaries.c.through_id >= since
    )
    await connection.execute(stale)


async def untitle(connection: Connection, conversation_ids: Sequence[int]) -> None:
    """Take the titles of conversations away; they get new ones."""
    titled = sa.update(conversations).where(conversations.c.id.in_(conversation_ids))
    await connection.execute(titled.values(title=""))


async def _keep_picture(
    connection: Connection, message_id: int, digest: str, content: bytes, drawn: str
) -> None:
    picture = insert(connection, files).values(sha256=digest, content=content, created_at=utc_now())
    await connection.execute(picture.on_conflict_do_nothing())
    link = sa.insert(message_files).values(message_id=message_id, sha256=digest, drawn=drawn)
    await connection.execute(link)


async def look_again(connection: Connection, conversation_ids: Sequence[int]) -> None:
    """Set when conversations were last active, after messages were deleted or hidden.

    One without messages counts as never begun, and loses its title.
    """
    last = (
        sa.select(messages.c.created_at)
        .where(messages.c.conversation_id == conversations.c.id, sa.not_(messages.c.hidden))
        .order_by(messages.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    which = sa.update(conversations).where(conversations.c.id.in_(conversation_ids))
    title = sa.case((last.is_(None), ""), else_=conversations.c.title)
    await connection.execute(which.values(active_at=last, title=title))


async def leave_no_trace(connection: Connection, conversation_ids: Sequence[int]) -> None:
    """After messages are deleted for good: no summary and no title tells of what was said."""
    await drop_summaries(connection, conversation_ids)
    await untitle(connection, conversation_ids)
    await look_again(connection, conversation_ids)


async def drop_unused_files(connection: Connection) -> None:
    """Delete the pictures that no message holds any more."""
    await connection.execute(sa.delete(files).where(~HELD))


PAGE = (
    sa.select(messages)
    .where(messages.c.conversation_id == sa.bindparam("conversation"), sa.not_(messages.c.hidden))
    .order_by(messages.c.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer()))
)
"""The newest messages of a conversation, newest first."""
PAGE_BEFORE = PAGE.where(messages.c.id < sa.bindparam("before"))


async def page(
    connection: Connection, conversation: int, before: int | None, limit: int
) -> Sequence[KeptMessage]:
    """The newest messages older than the message id `before`, oldest first; no hidden ones.

    Raises `codec.UndecodableError`.
    """
    place = {"conversation": conversation, "before": before, "most": limit}
    query = PAGE if before is None else PAGE_BEFORE
    return await _read(connection, list(reversed((await connection.execute(query, place)).all())))


async def beginning(connection: Connection, conversation: int, limit: int) -> Sequence[KeptMessage]:
    """The oldest messages, in order; no hidden ones. Raises `codec.UndecodableError`."""
    query = (
        sa.select(messages)
        .where(messages.c.conversation_id == conversation, sa.not_(messages.c.hidden))
        .order_by(messages.c.id)
        .limit(limit)
    )
    return await _read(connection, (await connection.execute(query)).all())


async def _read(connection: Connection, rows: Sequence[sa.Row[Any]]) -> Sequence[KeptMessage]:
    showing = [row.id for row in rows if codec.may_show(row.parts)]
    pictures = await _pictures(connection, showing) if showing else {}
    return [_kept(row, pictures.get(row.id, {})) for row in rows]


async def _pictures(
    connection: Connection, message_ids: Sequence[int]
) -> dict[int, dict[str, bytes]]:
    query = (
        sa.select(message_files.c.message_id, files.c.sha256, files.c.content)
        .join_from(message_files, files)
        .where(message_files.c.message_id.in_(message_ids), message_files.c.drawn == "")
    )
    found: dict[int, dict[str, bytes]] = {}
    for message_id, digest, content in (await connection.execute(query)).all():
        found.setdefault(message_id, {})[digest] = content
    return found


def _kept(row: sa.Row[tuple[object]], pictures: dict[str, bytes]) -> KeptMessage:
    return KeptMessage(
        id=row.id,
        created=row.created_at,
        turn_id=row.turn_id,
        message=NewMessage(
            role=Role(row.role),
            parts=codec.load_parts(row.parts, pictures),
            sender_id=row.sender_id,
            sender_name=row.sender_name,
            model=row.model,
            usage=None if row.usage is None else codec.USAGE.load(row.usage),
            state=MessageState(row.state),
            tool_calls=codec.TOOL_CALLS.load(row.tool_calls) if row.tool_calls else (),
            tool_call_id=row.tool_call_id,
            shown=codec.SHOWN.load(row.shown),
            heading=row.heading,
        ),
    )


async def drawn(connection: Connection, chat: ChatRef, digest: str) -> ImagePart | None:
    """A picture that the bot drew in a chat, by its digest; without one, the newest."""
    query = (
        sa.select(message_files.c.drawn, files.c.content)
        .join_from(message_files, files)
        .join(messages, messages.c.id == message_files.c.message_id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(*in_chat(conversations, chat))
        .where(message_files.c.drawn != "")
        .order_by(message_files.c.message_id.desc())
        .limit(1)
    )
    if digest:
        query = query.where(message_files.c.sha256 == digest)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else ImagePart(row.drawn, row.content)
