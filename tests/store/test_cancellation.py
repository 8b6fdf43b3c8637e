"""A caller that is cancelled, or a process that is killed, in the middle of a transaction."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path

import pytest

from bot.core.queue import Outcome
from bot.core.settings import ChatSettings
from bot.core.stores import Stores
from bot.errors import StoreError
from bot.store import StorageSettings, open_store
from tests.store.conftest import sqlite_settings
from tests.store.events import accept, begun, chat, claim, message, said
from tests.store.test_faults import locked


async def cancel_after(call: Coroutine[None, None, object], rounds: int) -> bool:
    """Cancel a call when the event loop has gone round so often; False when it was done by then."""
    task = asyncio.ensure_future(call)
    for _ in range(rounds):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


async def test_cancelling_anywhere_leaves_every_call_usable(stores: Stores) -> None:
    conversation = await stores.conversations.current(chat())
    for rounds in (0, 1, 2, 3, 5, 8, 13, 21, 34):
        await asyncio.gather(
            cancel_after(stores.turns.accept(message(str(rounds)), urgent=False), rounds),
            cancel_after(stores.conversations.page(conversation), rounds),
            cancel_after(stores.settings.change(chat(), lambda _: ChatSettings(model="m")), rounds),
            cancel_after(stores.conversations.begin(chat("other")), rounds),
            cancel_after(stores.turns.ahead(1), rounds),
        )
    for rounds in (0, 1, 2, 3, 5, 8, 13, 21, 34):
        await accept(stores.turns, message(str(rounds)))
    await stores.turns.recover()
    answers = 0
    while (turn := await stores.turns.claim()) is not None:
        await stores.turns.finish(
            turn.id, Outcome(conversation=conversation, messages=(said("x"),))
        )
        answers += 1
    assert len(await stores.conversations.page(conversation)) == answers


async def test_a_claim_nobody_waits_for_is_given_back(stores: Stores) -> None:
    await accept(stores.turns, message("1"))
    for rounds in range(0, 40, 3):
        if not await cancel_after(stores.turns.claim(), rounds):
            await stores.turns.release(1)
    turn = await claim(stores.turns)
    assert turn.attempt == 1


async def test_a_turn_that_would_run_at_once_waits_when_nobody_is_left(stores: Stores) -> None:
    for rounds in range(0, 40, 3):
        offer = stores.turns.accept(message(str(rounds)), urgent=False, begin=True)
        if await cancel_after(offer, rounds):
            await begun(stores.turns, message(str(rounds)))
        await stores.turns.finish(rounds // 3 + 1, Outcome())
    assert await stores.turns.claim() is None


async def test_whoever_is_cancelled_while_the_database_refuses_hears_that(
    settings: StorageSettings, stores: Stores
) -> None:
    """Else a bot that is to end would go on listening to its platform for ever."""
    calls = [stores.turns.accept(message("1"), urgent=False), stores.turns.claim()]
    async with locked(settings):
        assert all(await asyncio.gather(*(cancel_after(call, 3) for call in calls)))


async def test_an_end_that_is_written_down_again_is_written_once(stores: Stores) -> None:
    conversation = await stores.conversations.current(chat())
    for count, rounds in enumerate(range(0, 40, 3), start=1):
        turn = await begun(stores.turns, message(str(rounds)))
        outcome = Outcome(conversation=conversation, messages=(said("x"),))
        await cancel_after(stores.turns.finish(turn.id, outcome), rounds)
        await stores.turns.finish(turn.id, outcome)
        assert len(await stores.conversations.page(conversation)) == count


async def test_closing_carries_out_what_has_begun(settings: StorageSettings) -> None:
    async with open_store(settings) as stores:
        offers = [
            asyncio.ensure_future(stores.turns.accept(message(str(n), str(n)), urgent=False))
            for n in range(20)
        ]
        await asyncio.sleep(0)
    accepted = await asyncio.gather(*offers)
    assert all(one.fresh for one in accepted)
    with pytest.raises(StoreError, match="closed"):
        await accept(stores.turns, message("late"))
    async with open_store(settings) as stores:
        again = [
            await stores.turns.accept(message(str(n), str(n)), urgent=False) for n in range(20)
        ]
        assert not any(one.fresh for one in again)


ACCEPT_FOR_EVER = """
import asyncio, sys
from bot.store import StorageSettings, open_store
from tests.store.events import message

async def one(stores, number):
    await stores.turns.accept(message(str(number), str(number)), urgent=False)
    print(number, flush=True)

async def main():
    async with open_store(StorageSettings(url=sys.argv[1]), waiting_in_all=10**6) as stores:
        for first in range(0, 10**6, 10):
            await asyncio.gather(*(one(stores, first + more) for more in range(10)))

asyncio.run(main())
"""


@pytest.mark.parametrize("count", [1, 57, 212])
async def test_what_was_accepted_survives_a_kill(tmp_path: Path, count: int) -> None:
    settings = sqlite_settings(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ACCEPT_FOR_EVER, settings.url), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    said_accepted = [int(await process.stdout.readline()) for _ in range(count)]
    process.kill()
    said_accepted += [int(line) for line in (await process.stdout.read()).split()]
    await process.wait()
    async with open_store(settings) as stores:
        for number in said_accepted:
            event = message(str(number), str(number))
            assert not (await stores.turns.accept(event, urgent=False)).fresh
