"""Deleted messages: what that means for the turn that the message has, had, or will have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

from bot.core.queue import TurnState, Withdrawn
from bot.core.types import ChatRef, MessageId, Withdrawal
from bot.store import codec
from bot.store.belonging import chat_columns, chat_of, in_chat
from bot.store.columns import utc_now
from bot.store.database import insert
from bot.store.drivers.connection import Connection, exists
from bot.store.erasure import erase, erase_buttons
from bot.store.queue import declines, edits, news
from bot.store.schema import MESSAGE, turn_files, turns

AWAITED = 3_600.0
"""Seconds after which a deleted message that was never taken in will not come any more: Slack
delivers one for five minutes."""
OVER: dict[str, object] = {
    "state": TurnState.DONE.value,
    "withdrawn": True,
    "event": "{}",
    "partial": "",
    "progress": "",
    "error": None,
}
"""What is written into the turn of a deleted message: it is over, and its words are gone."""
_FINISHED = sa.func.coalesce(turns.c.finished_at, utc_now())


async def withdraw(connection: Connection, gone: Withdrawal) -> Withdrawn:
    """Do all that can be done at once; see `TurnQueue.withdraw`."""
    about = await _about(connection, gone)
    if not about and gone.age < AWAITED and not await _expect(connection, gone):
        about = await _about(connection, gone)  # another process was quicker
    declined = [row for row in about if row.kind == codec.DECLINED]
    untold, lines = await declines.withdraw(connection, gone.chat, declined)
    asked = [row for row in about if row not in declined]
    running = [row.id for row in asked if row.state == TurnState.RUNNING.value]
    done = [row for row in asked if row.state == TurnState.DONE.value]
    waited = [row for row in asked if row.id not in running and row not in done]
    offers = await edits.offers(connection, [row for row in done if row.key != gone.key])
    await _end(connection, [row.id for row in done])
    await _unbutton(connection, gone.chat, [row.id for row in done])
    await _end(connection, [row.id for row in waited], shown=codec.SHOWN.dump(()))
    leads = [row.lead for row in waited if row.state == TurnState.JOINED.value]
    interrupted = await _stop(connection, running, leads) if running or leads else ()
    if interrupted:
        await news.tell_to_stop(connection, gone.chat, interrupted)
    return Withdrawn(
        ended=(*(row.id for row in waited), *untold),
        shown=(*(ref for row in waited for ref in codec.SHOWN.load(row.shown)), *offers, *lines),
        interrupted=interrupted,
        erased=await erase(connection, gone.chat, gone.ref.id),
    )


Rows: TypeAlias = Sequence[sa.Row[*tuple[Any, ...]]]


async def _about(connection: Connection, gone: Withdrawal) -> Rows:
    """The turns about a message, locked with those that answer them, in the order of their ends."""
    theirs = sa.select(turns.c.id, turns.c.lead).where(
        *in_chat(turns, gone.chat), turns.c.message == gone.ref.id, sa.text(MESSAGE)
    )
    found = (await connection.execute(theirs)).all()
    if not found:
        return []
    ids = {row.id for row in found}
    locking = (
        sa.select(turns.c.id, turns.c.key, turns.c.kind, turns.c.state, turns.c.lead, turns.c.shown)
        .where(turns.c.id.in_(ids | {row.lead for row in found if row.lead is not None}))
        .order_by(turns.c.id)
        .with_for_update()  # PostgreSQL; SQLite has one writer anyhow
    )
    return [row for row in (await connection.execute(locking)).all() if row.id in ids]


async def _expect(connection: Connection, gone: Withdrawal) -> bool:
    """Keep the key of a message that may come yet; False when it has come."""
    expected = {
        **chat_columns(gone.chat),
        "key": gone.key,
        "message": gone.ref.id,
        "user_id": "",
        "kind": codec.WITHDRAWN,
        "urgent": False,
        "attempt": 1,
        "shown": codec.SHOWN.dump(()),
        "accepted_at": utc_now(),
        "finished_at": utc_now(),
    }
    row = insert(connection, turns).values(OVER | expected)
    new = await connection.execute(row.on_conflict_do_nothing().returning(turns.c.id))
    return new.first() is not None


async def _end(connection: Connection, turn_ids: Sequence[int], **more: object) -> None:
    """End turns, and delete the words of their messages and the files they have made."""
    if not turn_ids:
        return
    ending = sa.update(turns).where(turns.c.id.in_(turn_ids))
    await connection.execute(ending.values(OVER | {"finished_at": _FINISHED} | more))
    await connection.execute(sa.delete(turn_files).where(turn_files.c.turn_id.in_(turn_ids)))


async def _unbutton(connection: Connection, chat: ChatRef, turn_ids: Sequence[int]) -> None:
    """Delete the buttons of turns that have answered nothing else."""
    if not turn_ids:
        return
    leading = sa.select(turns.c.lead).where(
        *in_chat(turns, chat), turns.c.id > min(turn_ids), turns.c.lead.in_(turn_ids)
    )
    leads = set((await connection.execute(leading)).scalars())
    for turn_id in turn_ids:
        if turn_id not in leads:
            await erase_buttons(connection, chat, turn_id)


async def _stop(
    connection: Connection, own: Sequence[int], leads: Sequence[int]
) -> tuple[int, ...]:
    """Stop the turns that answer a message: its `own`, or the `leads` that it has joined.

    Urgent ones are quick, and not stopped.
    """
    if own:
        mine = sa.update(turns).where(turns.c.id.in_(own))
        await connection.execute(mine.values(withdrawn=True))
    runs = sa.and_(turns.c.state == TurnState.RUNNING.value, ~turns.c.urgent)
    stopping = sa.update(turns).where(turns.c.id.in_([*own, *leads]), runs).values(stopped=True)
    return tuple((await connection.execute(stopping.returning(turns.c.id))).scalars())


def _parts(turn_id: int, chat: ChatRef) -> tuple[sa.ColumnElement[bool], ...]:
    """The condition for turns whose messages were deleted, of those that a running turn answers."""
    answered = sa.or_(turns.c.id == turn_id, turns.c.lead == turn_id)
    # The index of a chat's turns finds them: what joins a turn comes after it.
    return (*in_chat(turns, chat), turns.c.id >= turn_id, answered, turns.c.withdrawn)


async def is_withdrawn(connection: Connection, turn_id: int) -> bool:
    """Whether what a turn answers was withdrawn while it ran, or a part of it.

    Of that which it only declines all of it.
    """
    this = sa.select(turns.c.platform, turns.c.chat, turns.c.kind).where(turns.c.id == turn_id)
    row = (await connection.execute(this)).one()
    if row.kind == codec.DECLINED:
        return not await declines.is_needed(connection, chat_of(row), turn_id)
    return await exists(connection, *_parts(turn_id, chat_of(row)))


async def dissolve(connection: Connection, turn_id: int, chat: ChatRef) -> bool:
    """End a turn whose own message was deleted; False when only one that has joined it was."""
    parts = _parts(turn_id, chat)
    gone = (await connection.execute(sa.select(turns.c.id).where(*parts))).scalars().all()
    await connection.execute(sa.update(turns).where(turns.c.id.in_(gone)).values(lead=None))
    if turn_id not in gone:
        return False
    await _end(connection, [turn_id], stopped=True)  # its line has gone (`declines`)
    return True


async def settle(connection: Connection, turn_id: int, chat: ChatRef) -> bool:
    """Erase what was kept of messages of a turn that ends; False if none of them was deleted."""
    query = sa.select(turns.c.id, turns.c.message).where(*_parts(turn_id, chat))
    parts = (await connection.execute(query)).all()
    await _end(connection, [row.id for row in parts])
    await _unbutton(connection, chat, [row.id for row in parts])
    for row in parts:
        await erase(connection, chat, MessageId(row.message))
    return bool(parts)
