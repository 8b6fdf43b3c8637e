"""What each chat has chosen: the port `SettingsStore`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

import sqlalchemy as sa

from bot.core.settings import ChatSettings, SettingsStore, handed_down
from bot.core.types import ChatRef
from bot.store import codec
from bot.store.belonging import chat_columns, in_asked_chat
from bot.store.columns import utc_now
from bot.store.database import Table, upsert
from bot.store.drivers.connection import Connection
from bot.store.schema import chats

log = logging.getLogger(__name__)


class ChatSettingsTable(Table, SettingsStore):
    """The settings as JSON; what cannot be read counts as the defaults."""

    async def load(self, chat: ChatRef, lobby: ChatRef | None = None) -> ChatSettings:
        return await self._database.read(_load, chat, lobby, _SETTINGS)

    async def change(
        self,
        chat: ChatRef,
        change: Callable[[ChatSettings], ChatSettings],
        lobby: ChatRef | None = None,
    ) -> ChatSettings:
        async def job(connection: Connection) -> ChatSettings:
            settings = change(await _load(connection, chat, lobby, _TO_CHANGE))
            await _save(connection, chat, settings)
            return settings

        return await self._database.write(job)


_Query: TypeAlias = sa.Select[str]
_SETTINGS: _Query = sa.select(chats.c.settings).where(*in_asked_chat(chats))
_TO_CHANGE = _SETTINGS.with_for_update()  # SQLite has one writer anyhow, and ignores it


async def _load(
    connection: Connection, chat: ChatRef, lobby: ChatRef | None, query: _Query
) -> ChatSettings:
    own = await _chosen(connection, chat, query)
    if own is not None or lobby is None or lobby == chat:
        return own or ChatSettings()
    return handed_down(await _chosen(connection, lobby, _SETTINGS) or ChatSettings())


async def _chosen(connection: Connection, chat: ChatRef, query: _Query) -> ChatSettings | None:
    return read((await connection.execute(query, chat_columns(chat))).scalar_one_or_none(), chat)


def read(text: str | None, chat: ChatRef) -> ChatSettings | None:
    """The settings in a row; None without one, the defaults when it cannot be read."""
    if text is None:
        return None
    try:
        return codec.SETTINGS.load(text)
    except codec.UndecodableError:
        log.warning("chat settings unreadable", extra={"chat": chat.id})
        return ChatSettings()


async def _save(connection: Connection, chat: ChatRef, settings: ChatSettings) -> None:
    chosen = {"settings": codec.SETTINGS.dump(settings), "updated_at": utc_now()}
    values = {"platform": chat.platform, "id": chat.id, **chosen}
    await connection.execute(upsert(connection.dialect.name, chats, values, *chosen))
