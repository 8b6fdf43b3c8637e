"""What tests of the whole bot stand between; a folder that needs other servers brings its own."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bot.__main__ import main
from bot.sandbox import telegram as telegram_sandbox
from bot.sandbox.openai import ScriptedApi, serve_scripted
from bot.sandbox.telegram.telegram import Telegram
from bot.store import StorageSettings, migrate
from tests import statement_cache
from tests.environment import LANGUAGE
from tests.logging_state import logging_restored
from tests.processes import Launcher, launching
from tests.shell import Ended, Shell
from tests.store.postgres import Server, running_server

WITHOUT_POSTGRES = "CHINWAG_TESTS_WITHOUT_POSTGRES"

# Files that are as durable as a bot's wait for the disk with every commit: half of what tests take.
MEMORY = Path("/dev/shm")
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# The same examples each time, so that a change is blamed for what it broke alone. To look further:
# --hypothesis-profile=default
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

statement_cache.share()


def pytest_collection_finish() -> None:
    """What was imported stays: to look through it again and again takes a tenth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database without rows, to be copied: making one takes a third of a second."""
    file = tmp_path_factory.mktemp("template") / "store.db"
    asyncio.run(migrate.upgrade(StorageSettings(url=f"sqlite:///{file}")))
    return file


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all; whoever needs a database makes it."""
    if os.environ.get(WITHOUT_POSTGRES):
        pytest.skip(f"{WITHOUT_POSTGRES} is set")
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def launcher_address() -> Iterator[str]:
    with launching() as address:
        yield address


@pytest.fixture
async def launcher(launcher_address: str) -> AsyncGenerator[Launcher]:
    launcher = Launcher(launcher_address)
    yield launcher
    await launcher.end()


@pytest.fixture
async def telegram() -> AsyncGenerator[Telegram]:
    async with telegram_sandbox.serve() as telegram:
        yield telegram


@pytest.fixture
async def api() -> AsyncGenerator[ScriptedApi]:
    async with serve_scripted(key="sk-sandbox") as api:
        yield api


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shell]:
    """A shell in an empty folder with nothing of ours in its environment."""
    for name in [name for name in os.environ if name.startswith("BOT_") or name in LANGUAGE]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        try:
            code = main(arguments)
        except SystemExit as end:  # argparse
            code = end.code if isinstance(end.code, int) else 1
        out, err = capsys.readouterr()
        return Ended(code=code, out=out, err=err)

    with logging_restored():
        yield run
