"""What the buttons do: the port `Actions`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from bot.core.stores import Action, Actions
from bot.core.types import ChatRef, UserId
from bot.store.belonging import chat_columns, in_asked_chat
from bot.store.columns import utc_now
from bot.store.database import Database
from bot.store.drivers.batches import Batches
from bot.store.drivers.connection import Connection
from bot.store.schema import actions as table

_VALUE_BYTES = 12
"""96 random bits, 16 characters: nobody guesses the value of a button they do not see."""


_OFFERING = sa.insert(table).values(created_at=utc_now())
_FINDING = sa.select(table.c.name, table.c.argument, table.c.owner).where(
    table.c.id == sa.bindparam("value"), *in_asked_chat(table)
)


async def _offer(
    connection: Connection, offers: Sequence[Sequence[Mapping[str, str | None]]]
) -> Sequence[None]:
    await connection.execute(_OFFERING, [row for rows in offers for row in rows])
    return [None for _ in offers]


class ActionTable(Actions):
    """The actions in the table of that name; those of many chats are written together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._offers = Batches(database.submit_write, _offer)

    async def offer(self, chat: ChatRef, actions: Sequence[Action]) -> Sequence[str]:
        if not actions:
            return []
        values = [secrets.token_urlsafe(_VALUE_BYTES) for _ in actions]
        rows: list[dict[str, str | None]] = [
            {
                "id": value,
                **chat_columns(chat),
                "name": action.name,
                "argument": action.argument,
                "owner": action.owner,
            }
            for value, action in zip(values, actions, strict=True)
        ]
        await self._offers.add(rows)
        return values

    async def find(self, chat: ChatRef, value: str) -> Action | None:
        async def job(connection: Connection) -> Action | None:
            asked = {"value": value, **chat_columns(chat)}
            row = (await connection.execute(_FINDING, asked)).one_or_none()
            if row is None:
                return None
            owner = None if row.owner is None else UserId(row.owner)
            return Action(name=row.name, argument=row.argument, owner=owner)

        return await self._database.read(job)
