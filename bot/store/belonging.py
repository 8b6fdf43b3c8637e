"""Which rows belong to a chat, and which to a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from bot.core.types import ChatId, ChatRef, Person
from bot.store.schema import actions, chats, overheard, users


def in_chat(table: sa.Table, chat: ChatRef) -> tuple[sa.ColumnElement[bool], ...]:
    """The condition that a row belongs to a chat; of the table `chats`, that it is its own."""
    return (table.c.platform == chat.platform, _chat(table) == chat.id)


def in_chats(
    table: sa.Table, platform: str, ids: Sequence[ChatId]
) -> tuple[sa.ColumnElement[bool], ...]:
    """The same for any of these chats."""
    return (table.c.platform == platform, _chat(table).in_(ids))


def in_asked_chat(table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
    """The same for a statement that is made once: the chat is in its parameters."""
    return (table.c.platform == sa.bindparam("platform"), _chat(table) == sa.bindparam("chat"))


def _chat(table: sa.Table) -> sa.Column[str]:
    return table.c.id if table is chats else table.c.chat


def chat_columns(chat: ChatRef) -> dict[str, str]:
    """The columns of a row that belongs to a chat, or the parameters of `in_asked_chat`."""
    return {"platform": chat.platform, "chat": chat.id}


def person_columns(person: Person) -> dict[str, str]:
    """The columns of a row that belongs to somebody."""
    return {"platform": person.platform, "user_id": person.id}


def chat_of(row: sa.Row[*tuple[Any, ...]]) -> ChatRef:
    """The chat to which a row belongs."""
    return ChatRef(row.platform, ChatId(row.chat))


_PERSON = {users: "id", overheard: "sender_id", actions: "owner"}


def of_person(table: sa.Table, person: Person) -> tuple[sa.ColumnElement[bool], ...]:
    """The condition that a row is somebody's; of the table `users`, that it is they themselves."""
    name = table.c[_PERSON.get(table, "user_id")]
    return (table.c.platform == person.platform, name == person.id)
