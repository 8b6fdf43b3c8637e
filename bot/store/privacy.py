"""Forgetting for good: the port `Privacy`.

SQLite overwrites with zeros what it deletes (`secure_delete`), and its log is emptied after.
PostgreSQL gives up deleted rows when it vacuums. Of a turn that is over an empty row with the
platform's key stays until it is purged: else a message delivered again would be answered again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from bot.core.chat import Role
from bot.core.limits.calendar import Calendar
from bot.core.queue import OPEN, TurnState
from bot.core.stores import Privacy
from bot.core.types import ChatId, ChatRef, Person, UserId
from bot.store import message_rows, totals
from bot.store.belonging import in_chat, in_chats, of_person
from bot.store.database import DatedTable
from bot.store.drivers.connection import Connection
from bot.store.schema import (
    BY_PERSON,
    actions,
    broadcast_chats,
    chats,
    conversations,
    messages,
    overheard,
    ratings,
    turn_files,
    turns,
    usage,
    users,
)

SCRUBBED: dict[str, object] = {
    "event": "{}",
    "partial": "",
    "progress": "",
    "shown": "[]",
    "stood": "",
    "unswept": "",
    "message": "",
    "error": None,
    "chat": "",
    "user_id": "",
}
"""What is written into a turn that is over and forgotten: only its key and its times stay."""
AT_ONCE = 20
"""Chats forgotten in one transaction: whoever writes waits for its end."""
FORGOTTEN = "-"
"""The chat of usage whose person is forgotten; the name is deleted when the month is over."""


class PrivacyTable(DatedTable, Privacy):
    """Deletes rows of all tables, and empties those that must stay."""

    async def chats(self, platform: str) -> Collection[ChatRef]:
        named = ((conversations, "chat"), (overheard, "chat"), (turns, "chat"), (chats, "id"))
        found = await self._database.rows(
            sa.union(*(sa.select(t.c[name]).where(t.c.platform == platform) for t, name in named))
        )
        return [ChatRef(platform, ChatId(id)) for (id,) in found if id]

    async def forget_chats(self, platform: str, chats: Sequence[ChatId]) -> None:
        for at in range(0, len(chats), AT_ONCE):
            some = chats[at : at + AT_ONCE]
            await self._database.write(_forget_chats, platform, some)
        await self._database.write(message_rows.drop_unused_files)
        await self._database.empty_log()

    async def tidy(self) -> None:
        # All that was ever used is looked through: who writes does not wait for that in vain.
        if await self._database.read(_forgotten, self._calendar):
            await self._database.write(_tidy, self._calendar)

    async def forget_person(self, person: Person, *, by: int) -> None:
        theirs = of_person(turns, person)
        open_yet = sa.update(turns).where(*theirs, turns.c.id < by, turns.c.state.in_(OPEN))

        async def job(connection: Connection) -> None:
            # First: a turn that another process ends meanwhile is over below, or marked here.
            await connection.execute(open_yet.values(forgotten=True))
            alone = await _chats_of_only(connection, person)
            await _forget_chats(connection, person.platform, alone)
            await _forget_words(connection, person)
            await _forget_turns(connection, *theirs)
            for table in (overheard, actions, ratings, users):
                await connection.execute(sa.delete(table).where(*of_person(table, person)))
            await _forget_usage(connection, person, self._calendar)
            await message_rows.drop_unused_files(connection)

        await self._database.write(job)
        await self._database.empty_log()


async def _forget_chats(connection: Connection, platform: str, found: Sequence[ChatId]) -> None:
    """Many at once: to find the buttons of one chat, all there are must be looked through."""
    for table in (conversations, overheard, actions, ratings, broadcast_chats, chats):
        await connection.execute(sa.delete(table).where(*in_chats(table, platform, found)))
    await _forget_turns(connection, *in_chats(turns, platform, found))
    placed = sa.update(usage).where(*in_chats(usage, platform, found))
    await connection.execute(placed.values(chat=""))


async def _forget_turns(connection: Connection, *which: sa.ColumnElement[bool]) -> None:
    over = sa.update(turns).where(*which, turns.c.state == TurnState.DONE.value)
    await connection.execute(over.values(SCRUBBED))
    dead = sa.delete(turns).where(*which, turns.c.state == TurnState.DEAD.value)
    await connection.execute(dead)


async def end_forgotten(
    connection: Connection, turn_id: int, chat: ChatRef, person: Person
) -> None:
    """Empty a turn that ends after its person was forgotten; delete what it has kept of them."""
    over = SCRUBBED | {"state": TurnState.DONE.value}
    for statement in (
        sa.update(turns).where(turns.c.id == turn_id).values(over),
        sa.delete(turn_files).where(turn_files.c.turn_id == turn_id),
        sa.delete(actions).where(*in_chat(actions, chat), *of_person(actions, person)),
        sa.delete(users).where(*of_person(users, person)),
    ):
        await connection.execute(statement)


async def _chats_of_only(connection: Connection, person: Person) -> Sequence[ChatId]:
    """The chats in which nobody else has ever said anything."""
    theirs = sa.union(
        *(spoke.where(who == person.id) for spoke, _, who in _spoke(person.platform))
    ).cte()
    # Only in these chats: to put in order who spoke anywhere takes seconds, and nobody else can
    # write meanwhile.
    shared = (
        spoke.where(who.not_in(("", person.id)), chat.in_(sa.select(theirs.c.chat)))
        for spoke, chat, who in _spoke(person.platform)
    )
    query = sa.except_(sa.select(theirs.c.chat), sa.union(*shared).subquery().select())
    return [ChatId(chat) for chat in (await connection.execute(query)).scalars()]


def _spoke(
    platform: str,
) -> Sequence[tuple[sa.Select[str], sa.ColumnElement[str], sa.ColumnElement[str]]]:
    """In which chats something was said, by each of the tables that know; with who said it."""
    said = sa.select(conversations.c.chat).join_from(messages, conversations)
    did = sa.select(turns.c.chat).where(turns.c.chat != "")
    heard = sa.select(overheard.c.chat)
    return (
        (
            said.where(conversations.c.platform == platform, sa.text(BY_PERSON)),
            conversations.c.chat,
            messages.c.sender_id,
        ),
        (did.where(turns.c.platform == platform), turns.c.chat, turns.c.user_id),
        (heard.where(overheard.c.platform == platform), overheard.c.chat, overheard.c.sender_id),
    )


async def _forget_words(connection: Connection, person: Person) -> None:
    """Delete what somebody said in chats with others, and the answers to it."""
    theirs = (
        sa.select(messages.c.conversation_id)
        .join_from(messages, conversations)
        .where(conversations.c.platform == person.platform)
        .where(messages.c.sender_id == person.id, sa.text(BY_PERSON))
        .distinct()
    )
    found = list((await connection.execute(theirs)).scalars())
    if not found:
        return
    asked, made = messages.alias("asked"), messages.alias("made")
    asker = (
        sa.select(asked.c.sender_id)
        .where(
            asked.c.conversation_id == made.c.conversation_id,
            asked.c.role == Role.USER.value,
            asked.c.id < made.c.id,
        )
        .order_by(asked.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    answers = sa.select(made.c.id).where(
        made.c.conversation_id.in_(found),
        made.c.role != Role.USER.value,
        asker == person.id,
    )
    for statement in (
        sa.delete(messages).where(messages.c.id.in_(answers)),
        sa.delete(messages).where(
            messages.c.conversation_id.in_(found), messages.c.sender_id == person.id
        ),
    ):
        await connection.execute(statement)
    await message_rows.leave_no_trace(connection, found)


async def _forget_usage(connection: Connection, person: Person, calendar: Calendar) -> None:
    """What was used stays counted: nameless, except for the month that limits are about."""
    theirs = sa.update(usage).where(*of_person(usage, person))
    await connection.execute(theirs.values(chat=FORGOTTEN))
    await _tidy(connection, calendar)
    await totals.forget_before_this_month(connection, person, calendar)


async def _tidy(connection: Connection, calendar: Calendar) -> None:
    """Take the names off what forgotten people used in months that are over."""
    for person in await _forgotten(connection, calendar):
        await totals.forget_before_this_month(connection, person, calendar)
    nameless = sa.update(usage).where(_is_over(calendar)).values(user_id="", chat="")
    await connection.execute(nameless)


async def _forgotten(connection: Connection, calendar: Calendar) -> Sequence[Person]:
    """Forgotten people who used something in months that are over."""
    query = sa.select(usage.c.platform, usage.c.user_id).where(_is_over(calendar)).distinct()
    rows = (await connection.execute(query)).all()
    return [Person(row.platform, UserId(row.user_id)) for row in rows]


def _is_over(calendar: Calendar) -> sa.ColumnElement[bool]:
    return sa.and_(usage.c.chat == FORGOTTEN, usage.c.created_at < calendar.month_began())
