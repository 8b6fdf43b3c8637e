"""What was deleted is soon in no byte of SQLite's files, and nobody who writes waits for that."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.core.queue import Outcome
from bot.core.types import Person
from bot.store import StorageSettings, open_store
from bot.store.drivers import write_ahead
from tests.patience import PATIENCE, until
from tests.store.conftest import sqlite_settings
from tests.store.events import ANN, begun, chat, message, numbered
from tests.store.test_privacy import LAST, WORD, exchange, text_of
from tests.store.test_withdrawals import answer, ask_about, asked, gone


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOON", "LATER"):
        monkeypatch.setattr(write_ahead, name, 0.05)


@pytest.fixture
def storage(tmp_path: Path, sqlite_template: Path) -> StorageSettings:
    shutil.copy(sqlite_template, tmp_path)
    return sqlite_settings(tmp_path)


def file_of(storage: StorageSettings) -> Path:
    assert storage.sqlite_file is not None
    return storage.sqlite_file


def log_of(storage: StorageSettings) -> Path:
    """SQLite's write-ahead log."""
    file = file_of(storage)
    return file.with_name(f"{file.name}-wal")


async def vanishes(storage: StorageSettings) -> None:
    """Wait until the word is in none of the files; the bot goes on."""
    await until(lambda: WORD not in text_of(file_of(storage)))


@contextmanager
def reading(storage: StorageSettings) -> Iterator[None]:
    """Somebody reads the database as it is now, for as long as the block takes."""
    with closing(sqlite3.connect(file_of(storage), isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM turns").fetchone()
        yield
        other.execute("ROLLBACK")


async def test_the_bytes_of_a_deleted_message_vanish(storage: StorageSettings) -> None:
    async with open_store(storage) as stores:
        await ask_about(stores, numbered(1, WORD))
        assert WORD in text_of(file_of(storage))
        await stores.turns.withdraw(gone(numbered(1, WORD)))
        await vanishes(storage)


async def test_the_bytes_of_what_was_deleted_while_it_was_answered_vanish(
    storage: StorageSettings,
) -> None:
    async with open_store(storage) as stores:
        question = numbered(1, WORD)
        turn = await begun(stores.turns, question)
        await stores.turns.withdraw(gone(question))
        await until(lambda: not log_of(storage).stat().st_size)  # the answer goes on for long
        said = (asked(question), answer(f"you said {WORD}"))
        await stores.turns.finish(turn.id, Outcome(messages=said))
        await vanishes(storage)


async def test_the_bytes_of_a_deleted_conversation_vanish(storage: StorageSettings) -> None:
    async with open_store(storage) as stores:
        turn = await begun(stores.turns, numbered(1))
        said = (asked(numbered(1, WORD)), answer(f"you said {WORD}"))
        await stores.turns.finish(turn.id, Outcome(messages=said))
        await stores.archive.delete(chat(), await stores.conversations.current(chat()))
        await vanishes(storage)


async def test_who_is_forgotten_while_a_backup_is_made_is_gone_after_it_and_nobody_waits(
    storage: StorageSettings,
) -> None:
    patient = storage.model_copy(update={"busy_timeout": 2 * PATIENCE})
    async with open_store(patient) as stores:
        await exchange(stores, chat("hers"), ANN, WORD, "1")
        with reading(storage):
            await exchange(stores, chat("hers"), ANN, WORD, "2")
            async with asyncio.timeout(PATIENCE):
                await stores.privacy.forget_person(Person("test", ANN.id), by=LAST)
                await begun(stores.turns, message("3", "his"))
            assert WORD in text_of(file_of(storage))  # who reads needs it
        await vanishes(storage)


async def test_what_was_deleted_before_a_kill_vanishes_after_the_next_start(
    storage: StorageSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_ahead, "SOON", 60.0)
    killed = tmp_path / "killed"
    killed.mkdir()
    async with open_store(storage) as stores:
        await ask_about(stores, numbered(1, WORD))
        await stores.turns.withdraw(gone(numbered(1, WORD)))
        for name in ("store.db", "store.db-wal"):
            shutil.copy(tmp_path / name, killed)
    monkeypatch.undo()
    monkeypatch.setattr(write_ahead, "SOON", 0.05)
    again = sqlite_settings(killed)
    assert WORD in text_of(file_of(again))
    async with open_store(again):
        await vanishes(again)


async def test_of_somebody_who_reads_for_long_the_operator_hears_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    outcomes = [False, False, False, True, False, False, True]

    async def run(job: object) -> bool:
        return outcomes.pop(0)

    log = write_ahead.WriteAheadLog(run)
    await log.empty()
    await until(lambda: len(outcomes) == 3)
    await log.empty()  # and somebody reads it again
    await until(lambda: not outcomes)
    await log.close()
    assert caplog.messages == ["log in use, emptied later"] * 2
