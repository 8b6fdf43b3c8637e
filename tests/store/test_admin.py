"""What `bot db` does, beside a running bot."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.chat import ImagePart, NewMessage, Role
from bot.core.queue import Outcome
from bot.core.stores import Action, Stores
from bot.core.types import Unreadable
from bot.core.upkeep import Purged
from bot.errors import StoreError
from bot.store import StorageSettings, admin, migrate, open_store, purging
from bot.store.database import connected
from tests.environment import inherited
from tests.patience import PATIENCE
from tests.store.conftest import names, sqlite_settings
from tests.store.events import accept, begun, chat, claim, message, ref, said
from tests.store.steps import multiply

NOW = timedelta(0)


async def fill(stores: Stores) -> None:
    """One turn each that is done, dead, unreadable, running and waiting."""
    turns = stores.turns
    await accept(turns, *map(message, ("done", "dead", "running", "waiting")))
    for key in ("done", "dead", "running"):
        turn = await claim(turns)
        if key == "done":
            picture = NewMessage(role=Role.USER, parts=(ImagePart("image/png", b"abc"),))
            conversation = await stores.conversations.current(chat())
            outcome = Outcome(conversation=conversation, messages=(picture, said("hi")))
            await turns.finish(turn.id, outcome)
        elif key == "dead":
            await turns.fail(turn.id, "it broke", dead=True)
    await turns.bury(Unreadable(key="u", platform="test", raw="?", reason="not JSON"))


async def test_the_status_counts_what_waits_runs_and_is_dead(
    settings: StorageSettings, stores: Stores
) -> None:
    await fill(stores)
    status = await admin.status(settings)
    assert (status.waiting, status.running, status.dead) == (1, 1, 2)
    assert status.extent.size > 10_000
    assert status.place == settings.place


async def test_what_is_not_over_is_listed_without_what_people_wrote(
    settings: StorageSettings, stores: Stores
) -> None:
    await fill(stores)
    found = await admin.open_turns(settings)
    assert [(turn.state, turn.attempt, turn.chat) for turn in found] == [
        ("running", 1, "home"),
        ("waiting", 1, "home"),
    ]
    assert "hello" not in repr(found)


async def test_dead_turns_are_listed_with_their_reason(
    settings: StorageSettings, stores: Stores
) -> None:
    await fill(stores)
    dead = await admin.dead_turns(settings)
    assert [turn.error for turn in dead] == ["not JSON", "it broke"]


async def test_a_dead_turn_tried_again_comes_first(
    settings: StorageSettings, stores: Stores
) -> None:
    await fill(stores)
    assert await admin.retry(settings, only=[12345]) == 0
    assert await admin.retry(settings) == 1
    assert (await admin.status(settings)).dead == 1
    assert await stores.turns.claim() is None  # one is running in this chat
    running = (await admin.status(settings)).running
    await stores.turns.finish(3, Outcome())
    turn = await claim(stores.turns)
    assert (running, turn.event.key, turn.attempt) == (1, "dead", 1)


async def test_a_dead_turn_tried_again_begins_below_what_was_posted_since(
    settings: StorageSettings, stores: Stores
) -> None:
    turns = stores.turns
    for key, posted in (("dead", 5), ("later", 7)):
        turn = await begun(turns, message(key))
        if key == "dead":
            await turns.fail(turn.id, "it broke", dead=True, stood=ref(posted))
        else:
            await turns.finish(turn.id, Outcome(), stood=ref(posted))
    assert await admin.retry(settings) == 1
    again = await claim(turns)
    assert (again.event.key, again.stood) == ("dead", ref(7))


async def test_a_purge_deletes_what_is_over_and_leaves_the_history(
    settings: StorageSettings, stores: Stores
) -> None:
    await fill(stores)
    [value] = await stores.actions.offer(chat(), [Action(name="a")])
    assert await admin.purge(settings, older_than=timedelta(days=1)) == Purged()
    assert await admin.purge(settings, older_than=-timedelta(seconds=5)) == Purged(
        turns=3, actions=1
    )
    assert await stores.actions.find(chat(), value) is None
    status = await admin.status(settings)
    assert (status.waiting, status.running, status.dead) == (1, 1, 0)
    conversation = await stores.conversations.current(chat())
    page = await stores.conversations.page(conversation)
    assert page[0].message.parts == (ImagePart("image/png", b"abc"),)


async def test_a_bot_at_work_takes_in_what_people_write_while_much_is_purged(
    tmp_path: Path,
) -> None:
    settings, much = StorageSettings(url=f"sqlite:///{tmp_path}/store.db"), 10 * purging.AT_ONCE
    async with open_store(settings) as stores:
        await stores.turns.accept(message("first"), urgent=False, begin=True)
        await stores.turns.finish(1, Outcome())
        multiply(tmp_path / "store.db", "turns", "turns.id = 1", much)
        purge = asyncio.create_task(admin.purge(settings, older_than=-timedelta(seconds=5)))
        left = list[int]()
        while not purge.done():
            await stores.turns.accept(message(f"new {len(left)}"), urgent=True)
            known = [await stores.turns.knows("test", f"old{n}") for n in (1, much)]
            left.append(sum(known))
        assert (await purge).turns == much + 1
    assert 1 in left  # in the middle of it


async def test_a_backup_of_a_bot_at_work_opens_as_its_database(tmp_path: Path) -> None:
    settings, copy = sqlite_settings(tmp_path), tmp_path / "copy.db"
    async with open_store(settings) as stores:
        await fill(stores)
        assert await admin.backup(settings, copy) == copy.stat().st_size
        with pytest.raises(StoreError, match="exists already"):
            await admin.backup(settings, copy)
    status = await admin.status(StorageSettings(url=f"sqlite:///{copy}"))
    assert (status.waiting, status.running, status.dead) == (0, 0, 4)  # the bot goes on with two
    async with open_store(StorageSettings(url=f"sqlite:///{copy}")) as stores:
        assert await stores.turns.recover() == 0
        assert await stores.turns.claim() is None
        conversation = await stores.conversations.current(chat())
        assert len(await stores.conversations.page(conversation)) == 2


async def test_what_waits_when_a_bot_is_moved_is_answered_where_it_goes(tmp_path: Path) -> None:
    settings, copy = sqlite_settings(tmp_path), tmp_path / "copy.db"
    async with open_store(settings) as stores:
        await fill(stores)
    await admin.backup(settings, copy)
    status = await admin.status(StorageSettings(url=f"sqlite:///{copy}"))
    assert (status.waiting, status.running, status.dead) == (1, 1, 2)


async def test_nobody_reads_along_who_was_at_the_place_of_a_backup_before(tmp_path: Path) -> None:
    settings, waiting = sqlite_settings(tmp_path), tmp_path / "copy.db.unfinished"
    waiting.touch()
    waiting.chmod(0o666)  # in /tmp, say, by somebody else
    with waiting.open("rb") as held:
        async with open_store(settings) as stores:
            await fill(stores)
        await admin.backup(settings, tmp_path / "copy.db")
        assert held.read() == b""
    assert permissions(tmp_path)["copy.db"] == 0o600


async def test_no_other_user_of_the_machine_reads_the_database_or_a_backup(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        settings = sqlite_settings(tmp_path)
        async with open_store(settings) as stores:
            await fill(stores)
            await admin.backup(settings, tmp_path / "copy.db")
            found = permissions(tmp_path)
    finally:
        os.umask(before)
    assert len(found) >= 3  # with the write-ahead log
    assert set(found.values()) == {0o600}, found


def permissions(folder: Path) -> dict[str, int]:
    """Of the files that have something in them."""
    found = {file.name: file.stat() for file in folder.iterdir()}
    return {name: stat.S_IMODE(each.st_mode) for name, each in found.items() if each.st_size}


@pytest.mark.parametrize("revision", ["0001", "9999"])
async def test_a_database_of_another_version_is_backed_up_as_it_is(
    tmp_path: Path, revision: str
) -> None:
    settings, copy = sqlite_settings(tmp_path), tmp_path / "copy.db"
    await migrate.move(settings, "0001")
    async with connected(settings) as database:
        other = f"UPDATE alembic_version SET version_num = '{revision}'"
        await database.write(lambda connection: connection.exec_driver_sql(other))
    await admin.backup(settings, copy)
    async with connected(StorageSettings(url=f"sqlite:///{copy}")) as database:
        assert await database.read(migrate.current) == revision


async def test_a_backup_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    settings = sqlite_settings(tmp_path)
    async with open_store(settings):
        with pytest.raises(StoreError, match=r"missing/copy\.db: no such file or directory"):
            await admin.backup(settings, tmp_path / "missing" / "copy.db")
    assert names(tmp_path) == ["store.db", "store.db-owner"]


def test_a_backup_for_which_there_is_no_room_is_named(
    sqlite_template: Path, tmp_path: Path
) -> None:
    shutil.copy(sqlite_template, tmp_path / "store.db")
    backup = f"ulimit -f 100; exec {sys.executable} -m bot db backup {tmp_path}/copy.db"
    env = inherited() | {"BOT_STORAGE__URL": f"sqlite:///{tmp_path}/store.db"}
    done = subprocess.run(
        ["sh", "-c", backup], env=env, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"bot: {tmp_path}/copy.db: the disk failed")
    assert names(tmp_path) == ["store.db"]


@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
async def test_postgresql_is_backed_up_by_its_own_tool(
    settings: StorageSettings, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="pg_dump"):
        await admin.backup(settings, tmp_path / "copy")


async def test_without_a_database_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no database"):
        await admin.status(sqlite_settings(tmp_path))
    assert names(tmp_path) == []


async def test_a_database_of_an_older_version_is_not_touched(empty: StorageSettings) -> None:
    if empty.sqlite_file is not None:
        empty.sqlite_file.touch()
    with pytest.raises(StoreError, match="bot db upgrade"):
        await admin.purge(empty, older_than=NOW)
