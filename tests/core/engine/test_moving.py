"""Chats that get another id: how they are called now is known while it is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.access import Access, Gate
from bot.core.clock import SystemClock
from bot.core.engine import moving
from bot.core.engine.moving import MovedChats
from bot.core.settings import ChatSettings
from bot.core.types import ChatId, ChatMoved, ChatRef, Sender, UserId
from bot.store import StorageSettings, open_store


async def test_of_very_many_chats_that_moved_the_oldest_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "MOVES", 2)

    def chat(name: str, number: int) -> ChatRef:
        return ChatRef("fake", ChatId(f"{name} {number}"))

    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/bot.db")) as stores:
        gate = Gate(Access(open=True), SystemClock(), lambda where: [where.id], stores.grants)
        moved = MovedChats(stores.moves, gate)
        for number in range(3):
            await moved.take_in(ChatMoved(old=chat("old", number), new=chat("new", number)))
        assert moved.now(chat("old", 1)) == chat("new", 1)
        assert moved.names(chat("new", 1)) == (chat("new", 1), chat("old", 1))
        assert moved.names(chat("new", 0)) == (chat("new", 0),)


async def test_the_threads_of_a_chat_go_with_it(tmp_path: Path) -> None:
    old, new = ChatRef("fake", ChatId("G1:")), ChatRef("fake", ChatId("C1:"))
    thread = ChatRef("fake", ChatId("G1:17.1"))
    now = ChatRef("fake", ChatId("C1:17.1"))
    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/bot.db")) as stores:
        access = Access(chats=frozenset({"fake:G1"}))
        gate = Gate(access, SystemClock(), lambda where: [where.id, where.id[:2]], stores.grants)
        await stores.settings.change(thread, lambda _: ChatSettings(model="gpt"))
        moved = MovedChats(stores.moves, gate)
        await moved.take_in(ChatMoved(old=old, new=new, threads=True))
        assert (await stores.settings.load(now)).model == "gpt"
        assert moved.now(thread) == now
        assert gate.may(now, Sender(UserId("ann"), "Ann"))
