from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.commands import COMMANDS
from bot.core.commands.table import Command, CommandTable
from bot.core.turn import TurnContext
from bot.core.types import IncomingMessage
from bot.errors import PlatformError
from tests.house import House, open_house


def tracebacks(caplog: pytest.LogCaptureFixture) -> list[bool]:
    """Whether there is one in the log, for each time that a turn has failed."""
    failed = [record for record in caplog.records if record.message == "turn failed"]
    return [bool(record.exc_info) for record in failed]


async def test_a_press_that_fails_for_good_is_told_in_words(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    await house.say("/settings")
    for _ in range(3):
        house.platform.fail_next(PlatformError("the server says no"))
    panel, told = await house.press("Voice: answered")
    assert panel.startswith("⚙️")
    assert told == "⚠️ Something went wrong here, and I have noted it. Please ask again."
    assert tracebacks(caplog) == [False] * 3


async def test_the_operator_is_told_of_a_bug_where_it_is_and_nothing_that_was_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(ctx: TurnContext, message: IncomingMessage, argument: str) -> None:
        raise ValueError(argument)

    command = Command(name="break", summary="", run=broken)
    table = CommandTable([*COMMANDS.commands, command])
    async with open_house(tmp_path, commands=table) as house:
        [text] = await house.say("/break my heart")
        assert text.startswith("⚠️ Something went wrong here")
    assert tracebacks(caplog) == [True] * 3
    with closing(sqlite3.connect(tmp_path / "house.db")) as database:
        [(error,)] = database.execute("SELECT error FROM turns").fetchall()
    assert error.startswith("ValueError in test_failures.py:") and "heart" not in error
