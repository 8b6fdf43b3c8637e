"""What each chat has chosen: the port `SettingsStore`."""

from __future__ import annotations

import logging
from collections.abc import Callable

import sqlalchemy as sa

from bot.core.settings import ChatSettings, SettingsStore
from bot.core.types import ChatRef
from bot.store import codec
from bot.store.columns import utc_now
from bot.store.connection import Connection
from bot.store.database import Table, upsert
from bot.store.schema import chat_columns, chats, in_asked_chat

log = logging.getLogger(__name__)


class ChatTable(Table, SettingsStore):
    """The settings as JSON; what cannot be read counts as the defaults."""

    async def load(self, chat: ChatRef) -> ChatSettings:
        return await self._database.read(_load, chat)

    async def change(
        self, chat: ChatRef, change: Callable[[ChatSettings], ChatSettings]
    ) -> ChatSettings:
        async def job(connection: Connection) -> ChatSettings:
            settings = change(await _load(connection, chat, to_change=True))
            await _save(connection, chat, settings)
            return settings

        return await self._database.write(job)


_SETTINGS = sa.select(chats.c.settings).where(*in_asked_chat(chats))
_TO_CHANGE = _SETTINGS.with_for_update()  # SQLite has one writer anyhow, and ignores it


async def _load(connection: Connection, chat: ChatRef, *, to_change: bool = False) -> ChatSettings:
    query = _TO_CHANGE if to_change else _SETTINGS
    text: str | None = (await connection.execute(query, chat_columns(chat))).scalar_one_or_none()
    return read(text, chat)


def read(text: str | None, chat: ChatRef) -> ChatSettings:
    """The settings in a row; the defaults when there is none, or none that can be read."""
    if text is None:
        return ChatSettings()
    try:
        return codec.SETTINGS.load(text)
    except codec.UndecodableError:
        log.warning("chat settings unreadable", extra={"chat": chat.id})
        return ChatSettings()


async def _save(connection: Connection, chat: ChatRef, settings: ChatSettings) -> None:
    chosen = {"settings": codec.SETTINGS.dump(settings), "updated_at": utc_now()}
    values = {"platform": chat.platform, "id": chat.id, **chosen}
    await connection.execute(upsert(connection.dialect.name, chats, values, *chosen))
