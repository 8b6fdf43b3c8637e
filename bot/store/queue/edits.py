"""Edited messages: what an edit means for the turn that the message has, or had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from bot.core.queue import Accepted, TurnState
from bot.core.types import Attachment, FileId, IncomingMessage, MessageRef
from bot.store import codec
from bot.store.belonging import in_chat
from bot.store.drivers.connection import Connection, exists
from bot.store.erasure import is_said
from bot.store.queue import arrivals
from bot.store.schema import MESSAGE, turns


async def settle(connection: Connection, edit: IncomingMessage) -> Accepted | IncomingMessage:
    """Do what can be done about an edit at once; else return the message to take in.

    * A message that was never taken in, or was declined, is taken in as new; not if the edit is
      `late`, since it may have been answered and forgotten.
    * An edit that says the same is let be, and so is one of a message that was deleted.
    * A message that still waits is replaced in its turn.
    * One after which something else was written is too old: nothing is done.
    * The last one of the chat, or one answered together with it, is taken in as an edit.

    Raises `codec.UndecodableError`.
    """
    found = await _turn_of(connection, edit)
    if found is None or (found.kind == codec.DECLINED and not found.withdrawn):
        if not edit.late:
            return replace(edit, edited=False)
        new = await arrivals.add(connection, edit, urgent=False, settled=True)
        return edit if new is None else Accepted(turn_id=new, fresh=False, ahead=0)
    # If it is withdrawn, the change comes late: the message is not there any more.
    if not found.withdrawn and not _says_the_same(found, edit):
        if found.state == TurnState.WAITING.value:
            await _rewrite(connection, found, edit)
        elif not await _has_newer(connection, edit):
            return edit
    await arrivals.add(connection, edit, urgent=False, settled=True)
    return Accepted(turn_id=found.id, fresh=False, ahead=0)


async def _turn_of(
    connection: Connection, message: IncomingMessage
) -> sa.Row[*tuple[Any, ...]] | None:
    """The newest turn about a message."""
    query = (
        sa.select(turns.c.id, turns.c.state, turns.c.kind, turns.c.event, turns.c.withdrawn)
        .where(*in_chat(turns, message.chat), turns.c.message == message.ref.id, sa.text(MESSAGE))
        .order_by(turns.c.id.desc())
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none()


def _says_the_same(found: sa.Row[*tuple[Any, ...]], edit: IncomingMessage) -> bool:
    """Whether neither words nor files are others: only the preview of a link, say.

    The id of a file may be another one in every update (Bot API, `PhotoSize`).
    """
    before = codec.load_event(found.kind, found.event)
    return isinstance(before, IncomingMessage) and _said(before) == _said(edit)


def _said(message: IncomingMessage) -> tuple[str, list[Attachment]]:
    return message.text, [replace(each, id=FileId("")) for each in message.attachments]


async def _has_newer(connection: Connection, message: IncomingMessage) -> bool:
    """Whether something else was written in the chat after what was answered with this message."""
    answered = await _answered_with(connection, message)
    return await exists(
        connection,
        *in_chat(turns, message.chat),
        turns.c.id > min(answered),
        turns.c.message.not_in(["", *answered.values()]),
        sa.not_(turns.c.urgent),
        sa.not_(turns.c.withdrawn),
    )


async def offered(connection: Connection, turn_id: int) -> Sequence[MessageRef]:
    """What was said to earlier changes of the message that this turn is about, and stands."""
    this = turns.alias("this")
    row = sa.select(turns.c.id, turns.c.platform, turns.c.chat, turns.c.shown).where(
        this.c.id == turn_id,
        turns.c.platform == this.c.platform,
        turns.c.chat == this.c.chat,
        turns.c.message == this.c.message,
        sa.text("turns." + MESSAGE),
        turns.c.id < turn_id,
    )
    rows = (await connection.execute(row.order_by(turns.c.id))).all()
    return await offers(connection, rows[1:])  # the first is the message as it was


async def offers(
    connection: Connection, changes: Sequence[sa.Row[*tuple[Any, ...]]]
) -> list[MessageRef]:
    """What was said in these turns about changes, if that was no answer.

    Each once: a turn may have taken over what was said in earlier ones.
    """
    refs = dict.fromkeys(ref for row in changes for ref in codec.SHOWN.load(row.shown))
    return [ref for ref in refs if not await is_said(connection, ref.chat, ref.id)]


async def _answered_with(connection: Connection, message: IncomingMessage) -> dict[int, str]:
    """The message and those that one answer was given to together with it, by their turns."""
    leader = sa.func.coalesce(turns.c.lead, turns.c.id)
    about = sa.select(leader).where(
        *in_chat(turns, message.chat),
        turns.c.message == message.ref.id,
        sa.text(MESSAGE),
        turns.c.kind != codec.DECLINED,
    )
    leaders = (await connection.execute(about)).scalars().all()
    row = sa.select(turns.c.id, turns.c.message).where(
        *in_chat(turns, message.chat), turns.c.id >= min(leaders), leader.in_(leaders)
    )
    return {found.id: found.message for found in (await connection.execute(row)).all()}


async def _rewrite(
    connection: Connection, row: sa.Row[*tuple[Any, ...]], edit: IncomingMessage
) -> None:
    """Replace the message of a turn that waits; the turn keeps its key.

    An answer to the old words, begun before a restart, is dropped.
    """
    before = codec.load_event(row.kind, row.event)
    is_edit = isinstance(before, IncomingMessage) and before.edited
    after = replace(edit, key=before.key, edited=is_edit)
    anew = {"event": codec.dump_event(after), "partial": "", "stopped": False}
    await connection.execute(sa.update(turns).where(turns.c.id == row.id).values(anew))
