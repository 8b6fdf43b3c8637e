"""Chats that get another id: how they are called now is known while it is needed."""

from __future__ import annotations

from pathlib import Path

from bot.core.access import Access, Gate
from bot.core.clock import SystemClock
from bot.core.engine.moving import MOVES, MovedChats
from bot.core.types import ChatId, ChatMoved, ChatRef
from bot.store import StorageSettings, open_store


async def test_of_very_many_chats_that_moved_the_oldest_is_forgotten(tmp_path: Path) -> None:
    def chat(name: str, number: int) -> ChatRef:
        return ChatRef("fake", ChatId(f"{name} {number}"))

    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/bot.db")) as stores:
        gate = Gate(Access(open=True), SystemClock(), lambda where: [where.id], stores.grants)
        moved = MovedChats(stores.moves, gate)
        for number in range(MOVES + 1):
            await moved.take_in(ChatMoved(old=chat("old", number), new=chat("new", number)))
        assert moved.now(chat("old", 1)) == chat("new", 1)
        assert moved.names(chat("new", 1)) == (chat("new", 1), chat("old", 1))
        assert moved.names(chat("new", 0)) == (chat("new", 0),)
