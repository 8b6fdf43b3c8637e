"""A chat under another id: the port `Moves`."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from bot.core.queue import TurnState
from bot.core.stores import Moves
from bot.core.types import ChatId, ChatRef
from bot.store.belonging import in_chat
from bot.store.database import Table
from bot.store.drivers.connection import Connection, exists
from bot.store.queue import lanes
from bot.store.schema import (
    actions,
    broadcast_chats,
    chats,
    conversations,
    overheard,
    ratings,
    turns,
    usage,
)

WITHOUT_PLACES: dict[str, object] = {"message": "", "stood": "", "unswept": ""}
"""A turn that is not about any message of its chat: the ids of the old chat mean others now."""


class MoveTable(Table, Moves):
    """Gives the rows of a chat, in all tables, to another one."""

    async def move(self, old: ChatRef, new: ChatRef) -> bool:
        async def job(connection: Connection) -> bool:
            moved = [
                await _move_settings(connection, old, new),
                await _move_conversations(connection, old, new),
                await _move_turns(connection, old, new),
                await _move_broadcasts(connection, old, new),
            ]
            for table in (overheard, actions, ratings, usage):
                here = sa.update(table).where(*in_chat(table, old))
                result = await connection.execute(here.values(chat=new.id))
                moved.append(result.rowcount > 0)
            return any(moved)

        return await self._database.write(job)

    async def threads(self, chat: ChatRef) -> Collection[ChatRef]:
        async def job(connection: Connection) -> set[str]:
            found = set[str]()
            for table, column in (
                (chats, chats.c.id),
                (conversations, conversations.c.chat),
                (turns, turns.c.chat),
            ):
                inside = column.startswith(chat.id, autoescape=True)
                here = sa.select(column).where(table.c.platform == chat.platform, inside)
                found |= set((await connection.execute(here.distinct())).scalars())
            return found

        found = await self._database.read(job)
        inside = (id for id in sorted(found) if id.startswith(chat.id) and id != chat.id)
        return [ChatRef(chat.platform, ChatId(id)) for id in inside]


async def _move_settings(connection: Connection, old: ChatRef, new: ChatRef) -> bool:
    """The old ones, unless something was chosen in the new chat already."""
    theirs = in_chat(chats, old)
    if await exists(connection, *in_chat(chats, new)):
        result = await connection.execute(sa.delete(chats).where(*theirs))
    else:
        result = await connection.execute(sa.update(chats).where(*theirs).values(id=new.id))
    return result.rowcount > 0


async def _move_conversations(connection: Connection, old: ChatRef, new: ChatRef) -> bool:
    """They come before those of the new chat, which stays in the one that it is in."""
    before, own = in_chat(conversations, old), in_chat(conversations, new)
    last = await connection.scalar(sa.select(sa.func.max(conversations.c.number)).where(*before))
    if last is None:
        return False
    if await exists(connection, *own, sa.text("current")):
        await connection.execute(sa.update(conversations).where(*before).values(current=False))
    shifted = sa.update(conversations).where(*own)
    await connection.execute(shifted.values(number=conversations.c.number + last))
    await connection.execute(sa.update(conversations).where(*before).values(chat=new.id))
    return True


async def _move_turns(connection: Connection, old: ChatRef, new: ChatRef) -> bool:
    """All but the one that runs where another one runs already: at most one may."""
    moved = sa.update(turns).where(*in_chat(turns, old))
    if await lanes.runs(connection, new):
        moved = moved.where(sa.or_(turns.c.state != TurnState.RUNNING.value, turns.c.urgent))
    result = await connection.execute(moved.values(WITHOUT_PLACES | {"chat": new.id}))
    return result.rowcount > 0


async def _move_broadcasts(connection: Connection, old: ChatRef, new: ChatRef) -> bool:
    """One that has reached the new chat, or will, is not for it twice."""
    theirs = in_chat(broadcast_chats, old)
    reached = sa.select(broadcast_chats.c.broadcast_id).where(*in_chat(broadcast_chats, new))
    twice = broadcast_chats.c.broadcast_id.in_(reached.scalar_subquery())
    gone = await connection.execute(sa.delete(broadcast_chats).where(*theirs, twice))
    left = sa.update(broadcast_chats).where(*theirs)
    moved = await connection.execute(left.values(chat=new.id, message=""))
    return gone.rowcount + moved.rowcount > 0
