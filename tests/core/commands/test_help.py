from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.access import Access, Gate
from bot.core.clock import SystemClock
from bot.core.commands import COMMANDS
from bot.core.commands.table import ADMIN, FAMILIES, Command, CommandTable
from bot.core.fakes.platform import ANN, CHAT
from bot.core.queue import Outcome
from bot.core.turn import TurnContext
from bot.core.types import ChatId, ChatRef, IncomingMessage, Need, Sender, UserId
from tests.house import QUICK, House, open_house

BOSS = Sender(UserId("7"), "Boss")
ACCESS = Access(open=True, admins=frozenset({"fake:7"}))


async def test_help_lists_the_commands_under_headings(house: House) -> None:
    [text] = await house.say("/help")
    assert "**Conversation**\n\n- `/new [TITLE]` – Start a new conversation" in text
    assert "- `/model [NAME]` – See or choose the model" in text
    assert text.index("**Conversation**") < text.index("**Model and style**")
    assert text.endswith("`/help NAME` explains one of them.")


async def test_help_with_a_name_explains_it_with_examples(house: House) -> None:
    for name in ("/help model", "/help /models", "/help MODEL"):
        text = (await house.say(name))[-1]
        assert text.startswith("`/model [NAME]` – See or choose the model\n\n")
        assert "- `/model gpt-4o`" in text and text.endswith("Also: /models")


async def test_where_threads_want_another_mark_the_help_says_which(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, thread_mark="!")) as house:
        [text] = await house.say("/help")
        assert text.endswith("\n\nIn threads write `!model` instead of `/model`.")
        text = (await house.say("/help persona"))[-1]
        assert text.endswith(
            "Also: /personas, /role\n\nIn threads write `!persona` instead of `/persona`."
        )


SLASH = re.compile(r"(?<![\w/])/[a-z]")
"""A command with the mark that does not work."""


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_text_names_commands_with_the_mark_that_works(
    tmp_path: Path, language: str
) -> None:
    ann = Sender(UserId("1"), "Ann", language)
    async with open_house(tmp_path, capabilities=replace(QUICK, command_mark="!")) as house:
        for text in (
            *(f"/help {command.name}" for command in COMMANDS.commands),
            *("/foo", "/modle", "/start", "/help", "/model", "/settings", "/set", "/persona"),
            *("/image", "/transcribe", "/chats x", "/export pdf", "/users", "/forget it"),
        ):
            said = (await house.say(text, sender=ann))[-1]
            assert not SLASH.search(said), said
        assert (await house.say("/foo"))[-1] == "There is no command !foo. !help lists them."
        assert (await house.say("/help !modle"))[-1].endswith("Did you mean !model?")
        assert "- `!model star gpt-4o`" in (await house.say("/help !model"))[-1]


async def test_what_people_wrote_keeps_its_slashes(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, command_mark="!")) as house:
        await house.say("/system Say /help and see /etc/hosts")
        text = (await house.say("/system"))[-1]
        assert "Say /help and see /etc/hosts" in text and "write `!system`" in text


async def test_help_with_a_wrong_name_guesses(house: House) -> None:
    assert (await house.say("/help modle"))[
        -1
    ] == "There is no command /modle. Did you mean /model?"
    assert (await house.say("/help 🦆"))[-1] == "There is no command /🦆. /help lists them."


async def test_help_speaks_chinese(house: House) -> None:
    [text] = await house.say("/help", sender=Sender(UserId("1"), "小安", "zh-hans"))
    assert "**对话**" in text and "- `/new [标题]` – " in text and "Start a new" not in text


def test_every_command_stands_under_a_heading_and_no_name_twice() -> None:
    names = [name for each in COMMANDS.commands for name in (each.name, *each.aliases)]
    assert len(names) == len(set(names))
    for command in COMMANDS.commands:
        assert command.family in FAMILIES, command.name
        assert command.admin == (command.family == ADMIN), command.name


def test_every_example_is_the_command_it_explains() -> None:
    for command in COMMANDS.commands:
        for example in command.examples:
            assert example.split()[0] == f"/{command.name}"


class Nobody:
    """No admin has decided anything."""

    async def all(self) -> Mapping[str, bool]:
        return {}

    async def put(self, subject: str, *, allowed: bool, by: str) -> None:
        raise AssertionError("nothing is decided here")


async def test_an_admin_is_who_the_operator_names_and_whoever_sits_at_the_terminal() -> None:
    gate = Gate(ACCESS, SystemClock(), lambda chat: (chat.id,), Nobody())
    assert gate.is_admin(CHAT, BOSS)
    assert not gate.is_admin(CHAT, ANN)
    assert not gate.is_admin(ChatRef("slack", ChatId("1")), BOSS)
    assert gate.is_admin(ChatRef("console", ChatId("local")), ANN)


async def ring(ctx: TurnContext, message: IncomingMessage, argument: str) -> Outcome:
    await ctx.say("Ding.")
    return Outcome()


BELL = Command(name="bell", family=ADMIN, summary="Ring", run=ring, admin=True)
CARD = Command(name="card", summary="Send a card", run=ring, needs=frozenset({Need.FILES}))


MORE = CommandTable((*COMMANDS.commands, BELL, CARD))


async def test_an_admins_command_is_refused_kindly_and_not_listed_to_others(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, access=ACCESS, commands=MORE) as house:
        refusal = "/bell is only for the admins of this bot."
        assert (await house.say("/bell"))[-1] == refusal
        assert (await house.say("/help bell"))[-1] == refusal
        assert "bell" not in (await house.say("/help"))[-1]
        assert "/bell" not in (await house.say("/bel"))[-1]  # nor guessed
        assert (await house.say("/bell", sender=BOSS))[-1] == "Ding."
        listed = (await house.say("/help", sender=BOSS))[-1].partition("**For admins**")[2]
        assert "- `/bell` – Ring" in listed
        assert (await house.say("/bel", sender=BOSS))[-1].endswith("Did you mean /bell?")
        assert "bell" not in [info.name for info in house.services.menu]


async def test_what_an_app_cannot_do_is_said_and_not_listed(tmp_path: Path) -> None:
    poor = replace(QUICK, max_file_out=0)
    async with open_house(tmp_path, capabilities=poor, commands=MORE) as house:
        assert (await house.say("/card"))[-1] == "/card does not work in this app, sorry."
        assert "/card" not in (await house.say("/help"))[-1]


async def test_who_is_no_admin_is_not_led_to_what_is_for_admins(house: House) -> None:
    assert (await house.say("/help broadcas"))[-1].startswith("There is no command /broadcas.")
    assert "/broadcast" not in house.platform.kept()[-1]
