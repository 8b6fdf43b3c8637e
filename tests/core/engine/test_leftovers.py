"""What an earlier process posted and did not write down is taken away, and where it is looked."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.core.engine import leftovers
from bot.core.engine.leftovers import Leftovers
from bot.core.fakes.platform import CHAT, FakePlatform
from bot.core.queue import Outcome
from bot.core.stores import Stores
from bot.core.types import ChatId, ChatRef, Reply
from bot.store import StorageSettings, open_store


async def come_back(
    platform: FakePlatform, stores: Stores, found: Leftovers, chat: ChatRef
) -> list[str]:
    """Come to a turn of an earlier process, and its lost message; returns what stands then."""
    event = platform.message("hello", chat=chat)
    accepted = await stores.turns.accept(event, urgent=False, begin=True)
    assert accepted.turn is not None
    await platform.send(chat, Reply(text="lost"))
    await found.tidy(accepted.turn, (), ours=False)
    await stores.turns.finish(accepted.turn_id, Outcome())
    return platform.kept(chat)


async def test_a_chat_is_looked_through_once_and_is_not_known_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "CHATS", 3)
    platform = FakePlatform(clock=SystemClock())
    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/bot.db")) as stores:
        found = Leftovers({"fake": platform}, stores, ())
        assert await come_back(platform, stores, found, CHAT) == []
        assert await come_back(platform, stores, found, CHAT) == ["lost"]
        for number in range(3):
            other = ChatRef("fake", ChatId(f"other {number}"))
            assert await come_back(platform, stores, found, other) == []
        assert await come_back(platform, stores, found, CHAT) == ["lost"]  # of the time before
