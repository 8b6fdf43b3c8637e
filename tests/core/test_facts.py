"""What servers have told about models, kept over restarts."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.calibration import FACT, UNKNOWN, Calibrations
from bot.core.facts import AGAIN, DELAY, MOST, Fact, Notebook
from bot.core.fakes.clock import ManualClock
from bot.core.stores import Stores
from bot.errors import StoreError
from bot.store import StorageSettings, open_store
from bot.store.database import connected
from tests.patience import until

WINDOW = Fact(address="http://here/v1", model="m", name="window", value="4096")
TURNS = replace(WINDOW, name="takes_turns", value="true")
ELSEWHERE = replace(WINDOW, address="http://there/v1", value="8192")


@pytest.fixture
def settings(tmp_path: Path) -> StorageSettings:
    url = f"sqlite+aiosqlite:///{tmp_path / 'house.db'}"
    return StorageSettings(url=url, busy_timeout=0.05)


@pytest.fixture
async def stores(settings: StorageSettings) -> AsyncGenerator[Stores]:
    async with open_store(settings) as stores:
        yield stores


async def known(stores: Stores) -> set[Fact]:
    return {replace(fact, age=0.0) for fact in await stores.facts.all()}


async def test_it_is_written_some_time_after_it_was_learnt(stores: Stores) -> None:
    clock = ManualClock()
    notebook = Notebook(stores.facts, clock)
    notebook.note(WINDOW)
    await clock.advance(DELAY - 1)
    notebook.note(replace(WINDOW, value="2048"))
    notebook.note(TURNS)
    assert await known(stores) == set()
    await clock.advance(1)
    newer = replace(TURNS, value="false")
    notebook.note(newer)  # while it is being written, most likely

    async def are_written() -> bool:
        await clock.advance(DELAY)
        return await known(stores) == {replace(WINDOW, value="2048"), newer}

    await until(are_written)
    await notebook.close()


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
    stores: Stores, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    notebook = Notebook(stores.facts, clock)
    with closing(sqlite3.connect(tmp_path / "house.db")) as other, caplog.at_level("WARNING"):
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


async def test_of_very_many_facts_the_newest_are_kept(stores: Stores) -> None:
    notebook = Notebook(stores.facts, ManualClock())
    for number in range(MOST + 1):
        notebook.note(replace(WINDOW, model=f"m{number}"))
    await notebook.close()
    models = {fact.model for fact in await stores.facts.all()}
    assert len(models) == MOST and "m0" not in models


@pytest.mark.parametrize(
    ("value", "tokens"), [('{"scale": 2.5, "wide": 0.5, "picture": 90}', 3.0), ("[]", 1.0)]
)
async def test_how_a_model_counts_is_known_after_a_restart(
    stores: Stores, value: str, tokens: float
) -> None:
    await stores.facts.put([TURNS, replace(WINDOW, name=FACT, value=value)])
    notebook, clock = Notebook(stores.facts, ManualClock()), ManualClock()
    await notebook.open()
    here, there = (
        Calibrations(clock, notebook=notebook, address=fact.address) for fact in (WINDOW, ELSEWHERE)
    )
    assert here.of("m").steepest == tokens
    assert there.of("m") == UNKNOWN
