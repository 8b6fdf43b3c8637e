"""Who waits is told, whichever of two things that happen at once comes first."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.core.engine.waiting import WaitingRoom
from bot.core.fakes.platform import CHAT, FakePlatform
from bot.core.queue import Outcome
from bot.core.types import IncomingMessage
from bot.store import StorageSettings, open_store
from tests.patience import PATIENCE


async def test_a_turn_that_comes_while_its_message_is_taken_in_does_not_wait_any_more(
    tmp_path: Path,
) -> None:
    platform = FakePlatform(clock=SystemClock())
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/waiting.db")
    async with open_store(settings) as stores:
        room = WaitingRoom({"fake": platform}, stores.turns, SystemClock(), together=True)
        messages = [platform.message(text) for text in ("first", "second", "third")]
        accepted = [await stores.turns.accept(each, urgent=False) for each in messages]
        first, second, third = (each.turn_id for each in accepted)
        await stores.turns.claim()
        await stores.turns.finish(first, Outcome())
        await stores.turns.claim()
        assert await room.leave(CHAT, second) is None
        room.enter(second, messages[1])  # its process was slow to hear that it was taken in
        room.enter(third, messages[2])
        room.stands(CHAT)
        assert await room.leave(CHAT, third) is not None
        assert platform.kept() == ["⏳ 1 message before yours"]
        await room.close()


@pytest.mark.parametrize("told", ["told", "not told"])
async def test_nothing_is_kept_of_who_was_answered_by_another_bot(
    tmp_path: Path, told: str
) -> None:
    platform = FakePlatform(clock=SystemClock())
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/waiting.db")
    async with open_store(settings) as stores:
        room = WaitingRoom({"fake": platform}, stores.turns, SystemClock(), together=False)
        await stores.turns.accept(platform.message("first"), urgent=False)
        before = kept_in_memory()
        for number in range(1, 4):
            message = platform.message("another")
            turn_id = (await stores.turns.accept(message, urgent=False)).turn_id
            room.enter(turn_id, message)
            if told == "told":
                room.stands(CHAT)
                async with asyncio.timeout(PATIENCE):
                    while len(platform.kept()) < number:  # noqa: ASYNC110 - a view
                        await asyncio.sleep(0.001)
            room.gone(CHAT, turn_id)
            del message
        await room.close()
        assert kept_in_memory() <= before


def kept_in_memory() -> int:
    """How many messages, and pieces of work about them, the process has not forgotten."""
    gc.collect()
    return sum(type(each) in {IncomingMessage, asyncio.Task} for each in gc.get_objects())
