"""What servers have told about models, in both databases and over restarts."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.facts import AGAIN, DELAY, LIFE, Fact, Notebook
from bot.core.fakes.clock import ManualClock
from bot.core.stores import Stores
from bot.errors import StoreError
from bot.store import StorageSettings, facts, open_store
from bot.store.database import connected
from bot.store.schema import model_facts
from tests.patience import until
from tests.store.conftest import sqlite_settings

WINDOW = Fact(address="http://here/v1", model="m", name="window", value="4096")
TURNS = replace(WINDOW, name="takes_turns", value="true")
ELSEWHERE = replace(WINDOW, address="http://there/v1", value="8192")


async def known(stores: Stores) -> set[Fact]:
    return {replace(fact, age=0.0) for fact in await stores.facts.all()}


async def age(settings: StorageSettings, name: str, seconds: float) -> None:
    """Let facts be older than they are."""
    by = (
        f"strftime('%Y-%m-%d %H:%M:%f', learnt_at, '-{seconds} seconds')"
        if settings.sqlite_file is not None
        else f"learnt_at - interval '{seconds} seconds'"
    )
    statement = f"UPDATE model_facts SET learnt_at = {by} WHERE name = '{name}'"
    async with connected(settings) as database:
        await database.write(lambda connection: connection.exec_driver_sql(statement))


async def count(settings: StorageSettings) -> int:
    async with connected(settings) as database:
        return await database.scalar(sa.select(sa.func.count()).select_from(model_facts)) or 0


async def test_the_last_word_about_each_fact_holds(stores: Stores) -> None:
    await stores.facts.put([WINDOW, TURNS, ELSEWHERE])
    assert await known(stores) == {WINDOW, TURNS, ELSEWHERE}
    smaller, gone = replace(WINDOW, value="2048"), replace(TURNS, value="")
    await stores.facts.put([smaller, gone])
    assert await known(stores) == {smaller, ELSEWHERE}
    assert all(0 <= fact.age < 60 for fact in await stores.facts.all())


async def test_what_is_too_old_is_forgotten(settings: StorageSettings, stores: Stores) -> None:
    await stores.facts.put([WINDOW, TURNS])
    await age(settings, "window", 3600)
    [_, older] = await stores.facts.all()
    assert older.name == "window" and 3600 <= older.age < 3700
    await age(settings, "window", LIFE - 3600)
    assert await known(stores) == {TURNS}
    assert await count(settings) == 2
    await stores.facts.put([TURNS])
    assert await count(settings) == 1


async def test_the_oldest_make_room(
    settings: StorageSettings, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "MOST", 2)
    await stores.facts.put([WINDOW])
    await age(settings, "window", 60)
    await stores.facts.put([TURNS])
    assert await known(stores) == {WINDOW, TURNS}
    await stores.facts.put([ELSEWHERE])
    assert await known(stores) == {TURNS, ELSEWHERE}


@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
async def test_of_two_bots_the_last_one_is_right(settings: StorageSettings) -> None:
    many = [replace(WINDOW, model=f"m{number}") for number in range(200)]
    others = [replace(fact, value="8192") for fact in reversed(many)]
    async with open_store(settings) as one, open_store(settings) as two:
        await asyncio.gather(one.facts.put(many), two.facts.put(others))
        assert len(await one.facts.all()) == len(many)
        await one.facts.put(many)
        assert await known(two) == set(many)


async def test_it_is_written_some_time_after_it_was_learnt(stores: Stores) -> None:
    clock = ManualClock()
    notebook = Notebook(stores.facts, clock)
    notebook.note(WINDOW)
    await clock.advance(DELAY - 1)
    notebook.note(replace(WINDOW, value="2048"))
    notebook.note(TURNS)
    assert await known(stores) == set()
    await clock.advance(1)
    await notebook.close()
    assert await known(stores) == {replace(WINDOW, value="2048"), TURNS}


async def test_a_bot_that_ends_writes_down_what_it_has_just_learnt(stores: Stores) -> None:
    notebook = Notebook(stores.facts, ManualClock())
    notebook.note(WINDOW)
    await notebook.close()
    again = Notebook(stores.facts, ManualClock())
    await again.open()
    assert [fact.value for fact in again.found(WINDOW.address)] == ["4096"]
    assert not again.found(ELSEWHERE.address)


async def test_where_it_cannot_be_read_nothing_is_known(
    stores: Stores, settings: StorageSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(settings) as database:
        rename = "ALTER TABLE model_facts RENAME TO {}"
        await database.write(lambda c: c.exec_driver_sql(rename.format("away")))
        notebook = Notebook(stores.facts, ManualClock())
        await notebook.open()
        await database.write(lambda c: c.exec_driver_sql("ALTER TABLE away RENAME TO model_facts"))
    assert not notebook.found(WINDOW.address)
    assert [record.message for record in caplog.records] == ["facts about models not read"]


async def test_a_database_that_fails_costs_a_line_in_the_log_until_it_is_well(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings, clock = sqlite_settings(tmp_path), ManualClock()
    async with open_store(settings) as stores:
        notebook = Notebook(stores.facts, clock)
        with closing(sqlite3.connect(tmp_path / "store.db")) as other, caplog.at_level("WARNING"):
            other.execute("BEGIN IMMEDIATE")
            notebook.note(WINDOW)
            await clock.advance(DELAY)
            await warned(caplog)
            for _ in range(2):
                await clock.advance(AGAIN)
                await until_tried(stores)
            other.rollback()
        assert len(caplog.records) == 1
        notebook.note(TURNS)
        await clock.advance(AGAIN)
        await notebook.close()
        assert await known(stores) == {WINDOW, TURNS}


async def warned(caplog: pytest.LogCaptureFixture) -> None:
    await until(lambda: caplog.records)


async def until_tried(stores: Stores) -> None:
    """Jobs are tried in order: what was handed in before this one has failed like it."""
    with pytest.raises(StoreError):
        await stores.facts.put([ELSEWHERE])
