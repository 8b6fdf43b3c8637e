from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.commands.table import Command, CommandTable
from bot.core.fakes.platform import FakePlatform
from bot.core.turn import TurnContext
from bot.core.types import ChatRef, IncomingMessage, MessageRef, Reply
from bot.errors import PlatformError
from bot.sandbox.openai.scripted import Answer
from tests.house import QUICK, House, open_house
from tests.patience import until


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


class Mistaken(FakePlatform):
    """It makes a mistake with some words at the end of an answer; with `all`, with any, always."""

    def __init__(self) -> None:
        super().__init__(replace(QUICK, max_text=200), clock=SystemClock())
        self.all = False

    def _draw(self, reply: Reply) -> None:
        is_end = not any(button.label == "⏹ Stop" for row in reply.buttons for button in row)
        if self.all or (is_end and "cursed" in reply.text):
            raise KeyError("no such sign")

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        """Post what can be drawn."""
        self._draw(reply)
        return await super().send(chat, reply)

    async def edit(self, ref: MessageRef, reply: Reply) -> None:
        """Show what can be drawn."""
        self._draw(reply)
        await super().edit(ref, reply)


async def test_an_answer_that_cannot_be_drawn_is_given_up_in_words_and_the_next_is_given(
    tmp_path: Path,
) -> None:
    platform = Mistaken()
    async with open_house(tmp_path, platform=platform) as house:
        long = Answer(text="a fine word " * 20 + "and a cursed one", chunk=300)  # on two pages
        house.api.script.answer(*[long] * 3, "fine")
        async with house.answering(shows="cursed"):
            pass
        (told,) = await house.answered()
        assert told == "⚠️ Something went wrong here, and I have noted it. Please ask again."
        assert platform.buttons() == ["🔁 Retry"]
        assert (await house.say("second"))[1:] == ["fine"]


async def test_a_chat_where_not_even_a_failure_can_be_told_is_answered_again_later(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    platform = Mistaken()
    async with open_house(tmp_path, platform=platform) as house:
        house.api.script.answer(*["an answer"] * 3, "fine")
        platform.all = True
        assert await house.say("first") == []
        platform.all = False
        assert await house.say("second") == ["fine"]
    assert "failure not shown" in caplog.messages


async def test_what_is_said_while_the_database_fails_is_said_once(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(tmp_path / "house.db", isolation_level=None)) as other:
        with house.platform.held():
            await house.write("/help undo")
            await until(lambda: house.platform.calls)
            other.execute("BEGIN IMMEDIATE")
        await until(lambda: "message not written down" in caplog.messages)
        other.execute("COMMIT")
    [text] = await house.answered()
    assert text.startswith("`/undo`")
