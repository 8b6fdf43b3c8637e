"""Questions about the turns of a chat, and small changes to them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import sqlalchemy as sa

from bot.core.queue import OPEN, TurnState
from bot.core.types import ChatRef, MessageId, MessageRef, UserId
from bot.store import codec
from bot.store.belonging import chat_columns, chat_of, in_chat
from bot.store.drivers.connection import Connection, exists
from bot.store.schema import ACTIVE_IN_LANE, conversations, messages, turns


def lane_index(dialect: str) -> str:
    """What follows the table's name in SQL about the active turns of a chat: which index to use.

    Left alone, SQLite takes the index of all turns that the chat ever had for as good as that of
    the few active ones (https://www.sqlite.org/lang_indexedby.html).
    """
    return "INDEXED BY ix_turns_lane" if dialect == "sqlite" else ""


MANY = 200
"""Turns of one chat that are looked at, at most."""


async def ahead(connection: Connection, turn_id: int) -> int:
    """How many turns of the same chat, waiting or running, stand before this one that waits.

    0 when something stands in the chat for it.
    """
    index = lane_index(connection.dialect.name)
    query = sa.text(
        f"""SELECT count(*) FROM turns AS this JOIN turns AS earlier {index}
        ON earlier.platform = this.platform AND earlier.chat = this.chat AND earlier.id < this.id
        WHERE this.id = :turn_id AND this.state = 'waiting' AND NOT this.urgent
        AND this.shown = '[]'
        AND earlier.state IN ('waiting', 'running') AND NOT earlier.urgent"""
    ).bindparams(turn_id=turn_id)
    count: int = (await connection.execute(query)).scalar_one()
    return count


async def waiting_of(connection: Connection, chat: ChatRef, user: UserId) -> int:
    """How many turns of somebody wait in a chat."""
    index = lane_index(connection.dialect.name)
    query = sa.text(
        f"""SELECT count(*) FROM turns {index} WHERE platform = :platform AND chat = :chat
        AND {ACTIVE_IN_LANE} AND state = 'waiting' AND user_id = :user"""
    )
    found = await connection.execute(query, {**chat_columns(chat), "user": user})
    count: int = found.scalar_one()
    return count


async def known_messages(connection: Connection, turn_id: int) -> Sequence[MessageRef]:
    """The messages of a turn's chat, newest first: of `MANY` turns up to it, and of all since."""
    this = turns.alias("this")
    here = (this.c.id == turn_id, *(this.c[name] == turns.c[name] for name in ("platform", "chat")))
    newest_first = turns.c.id.desc()
    until_then = sa.select(turns.c.id).where(*here, turns.c.id <= turn_id).order_by(newest_first)
    older = until_then.offset(MANY).limit(1).correlate(None).scalar_subquery()
    query = (
        sa.select(turns.c.platform, turns.c.chat, turns.c.message, turns.c.shown)
        .where(*here, turns.c.id > sa.func.coalesce(older, 0))
        .order_by(newest_first)
    )
    refs: list[MessageRef] = []
    for row in (await connection.execute(query)).all():
        if row.message:
            chat = chat_of(row)
            refs.append(MessageRef(chat, MessageId(row.message)))
        refs += codec.SHOWN.load(row.shown)
    return refs


_ANEW: dict[str, object] = {
    "state": TurnState.WAITING.value,
    "attempt": 1,
    "owner": None,
    "error": None,
    "finished_at": None,
    "stood": "",
    "stopped": False,
}
"""What is written into a turn that waits as if it were new."""


_IS_DONE = turns.c.state == TurnState.DONE.value
_HAS_FAILED = sa.and_(_IS_DONE, turns.c.error.is_not(None))
_IS_DEAD = sa.and_(turns.c.state == TurnState.DEAD.value, turns.c.kind != codec.UNREADABLE)


def revival() -> sa.Update:
    """Let dead turns wait again; an event that nobody could read stays dead."""
    return sa.update(turns).where(_IS_DEAD).values(_ANEW)


async def revive(connection: Connection, turn_id: int) -> bool:
    """Let one wait again that is dead, or over with an error, and those that ended with it."""
    may_wait = sa.or_(_IS_DEAD, _HAS_FAILED)
    waits = sa.update(turns).where(turns.c.id == turn_id, may_wait).values(_ANEW)
    where = waits.returning(turns.c.platform, turns.c.chat)
    row = (await connection.execute(where)).one_or_none()
    if row is None:
        return False
    joined = sa.update(turns).where(
        *in_chat(turns, chat_of(row)),
        turns.c.id > turn_id,
        turns.c.lead == turn_id,
        _IS_DONE,
        ~turns.c.withdrawn,
    )
    await connection.execute(joined.values({**_ANEW, "lead": None}))
    return True


def failed(chat: ChatRef) -> sa.Select[int]:
    """The newest turn of a chat that is over with an error, if no message was kept since."""
    found = sa.select(turns.c.id).where(*in_chat(turns, chat), _HAS_FAILED)
    newest = found.order_by(turns.c.id.desc()).limit(1).subquery()
    later = sa.exists().where(
        messages.c.conversation_id == conversations.c.id,
        *in_chat(conversations, chat),
        messages.c.turn_id > newest.c.id,
    )
    return sa.select(newest.c.id).where(~later)


async def stop(connection: Connection, chat: ChatRef, held: Sequence[int]) -> bool:
    """Mark what is being answered in a chat, other than what is `held`; False when nothing is.

    Also what was interrupted and waits to be gone on with; not what waits for its first attempt.
    """
    is_running = turns.c.state == TurnState.RUNNING.value
    marking = sa.update(turns).where(
        *in_chat(turns, chat),
        sa.text(ACTIVE_IN_LANE),
        turns.c.id.not_in(held),
        sa.or_(is_running, turns.c.attempt > 1, turns.c.partial != ""),
    )
    return (await connection.execute(marking.values(stopped=True))).rowcount > 0


async def runs(connection: Connection, chat: ChatRef) -> bool:
    """Whether a turn of this chat runs that is not urgent."""
    is_running = turns.c.state == TurnState.RUNNING.value
    return await exists(connection, *in_chat(turns, chat), is_running, ~turns.c.urgent)


async def active(connection: Connection, turn_ids: Sequence[int]) -> set[int]:
    """Which of these turns wait or run, be it together with another."""
    found: set[int] = set()
    for at in range(0, len(turn_ids), MANY):
        some = turn_ids[at : at + MANY]
        query = sa.select(turns.c.id).where(turns.c.id.in_(some), turns.c.state.in_(OPEN))
        found |= set((await connection.execute(query)).scalars())
    return found


async def awaits_album(connection: Connection, chat: ChatRef, album: str) -> bool:
    """Whether a message of this album waits, or is being worked on."""
    field = f'"album": {json.dumps(album)}'
    is_of_album = turns.c.event.contains(field, autoescape=True)
    return await exists(connection, sa.text(ACTIVE_IN_LANE), *in_chat(turns, chat), is_of_album)
