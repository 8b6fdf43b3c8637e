"""What servers have told about models, in both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.core.facts import LIFE, Fact
from bot.core.stores import Stores
from bot.store import StorageSettings, facts, open_store
from bot.store.database import connected
from bot.store.schema import model_facts

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
