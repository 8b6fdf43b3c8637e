from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.queue import Outcome
from bot.core.settings import ChatSettings
from bot.core.stores import Stores
from bot.errors import StoreError
from bot.store import StorageSettings, open_store
from bot.store.database import connected
from bot.store.drivers.connection import Connection
from tests.patience import PATIENCE
from tests.store.events import accept, begun, message, ref, said
from tests.store.steps import counting_steps, multiply


async def test_a_job_that_waits_for_something_else_is_refused_and_changes_nothing(
    tmp_path: Path,
) -> None:
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/store.db")
    async with open_store(settings) as stores:
        await accept(stores.turns, message("kept"))

    async def lingers(connection: Connection) -> None:
        await connection.execute(sa.text("DELETE FROM turns"))
        await asyncio.sleep(0)

    async def count(connection: Connection) -> object:
        return (await connection.execute(sa.text("SELECT count(*) FROM turns"))).scalar_one()

    async with connected(settings) as database:
        with pytest.raises(RuntimeError, match="waited for something else"):
            await database.write(lingers)
        assert await database.read(count) == 1


async def test_a_read_that_fails_takes_nobody_along(tmp_path: Path) -> None:
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/store.db")
    async with open_store(settings):
        pass

    async def count(connection: Connection) -> object:
        return (await connection.execute(sa.text("SELECT count(*) FROM turns"))).scalar_one()

    async def fails(connection: Connection) -> object:
        return await connection.execute(sa.text("SELECT nothing FROM nowhere"))

    async with connected(settings) as database:
        jobs = [count, fails] * 40
        ends = await asyncio.gather(*map(database.read, jobs), return_exceptions=True)
        assert ends[::2] == [0] * 40
        assert all(isinstance(end, StoreError) for end in ends[1::2])


async def test_whoever_stops_waiting_for_a_read_stops_nobody_else(tmp_path: Path) -> None:
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/store.db")
    async with open_store(settings) as stores:
        looks = [
            asyncio.create_task(stores.settings.load(message("m", f"c{n}").ref.chat))
            for n in range(100)
        ]
        await asyncio.sleep(0)
        for look in looks[::2]:
            look.cancel()
        await asyncio.wait(looks)
        assert [look.cancelled() for look in looks] == [True, False] * 50
        assert all(look.result() == ChatSettings() for look in looks[1::2])


async def test_what_is_read_after_the_end_is_refused(tmp_path: Path) -> None:
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/store.db")
    async with open_store(settings) as stores:
        pass
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(StoreError):
            await stores.conversations.history(message("m").ref.chat)


async def test_readers_and_the_writer_do_not_wait_for_each_other(tmp_path: Path) -> None:
    settings = StorageSettings(url=f"sqlite:///{tmp_path}/store.db")
    async with open_store(settings) as stores:
        offers = [stores.turns.accept(message(f"m{n}", f"c{n}"), urgent=False) for n in range(150)]
        looks = [stores.settings.load(message("m", f"c{n}").ref.chat) for n in range(150)]
        accepted, _ = await asyncio.gather(asyncio.gather(*offers), asyncio.gather(*looks))
        assert [each.turn_id for each in accepted] == sorted(each.turn_id for each in accepted)
        claimed = await asyncio.gather(*(stores.turns.claim() for _ in range(151)))
        assert len({turn.id for turn in claimed if turn is not None}) == 150


async def test_a_turn_costs_the_same_however_much_the_chat_has_said_before(tmp_path: Path) -> None:
    async def cost(stores: Stores, key: str) -> int:
        before = steps()
        turn = await begun(stores.turns, message(key))
        await stores.turns.following(turn.id)
        outcome = Outcome(messages=(said("hello"),), hidden=(1,))
        await stores.turns.finish(turn.id, outcome, stood=ref(1))
        await stores.turns.stop_elsewhere(turn.chat)
        await stores.turns.ended_last(turn.chat.platform)
        return steps() - before

    file = tmp_path / "store.db"
    with counting_steps() as steps:
        async with open_store(StorageSettings(url=f"sqlite:///{file}")) as stores:
            await cost(stores, "first")
            new = await cost(stores, "second")
            for table in ("turns", "messages"):
                multiply(file, table, f"{table}.id = 1", 5_000)
            old = await cost(stores, "third")
    assert 0 < old < 5 * new  # a hundred turns are looked through that ended last


async def test_what_failed_is_looked_for_once_however_often_something_failed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "store.db"
    with counting_steps() as steps:
        async with open_store(StorageSettings(url=f"sqlite:///{file}")) as stores:
            answered = Outcome(messages=(said("hello"),))
            for key, outcome in (("old", answered), ("failed", Outcome(passing="no network"))):
                turn = await begun(stores.turns, message(key))
                await stores.turns.finish(turn.id, outcome)
            multiply(file, "turns", f"turns.id = {turn.id}", 300)
            multiply(file, "messages", "messages.id = 1", 300)
            turn = await begun(stores.turns, message("new"))
            await stores.turns.finish(turn.id, answered)
            before = steps()
            assert await stores.turns.failed(turn.chat) is None
            assert steps() - before < 300
