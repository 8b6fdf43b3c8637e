from __future__ import annotations

import pytest
from telegram import Bot, BotCommand
from telegram.error import BadRequest

from bot.sandbox.telegram.telegram import Telegram
from tests.sandbox.telegram.conftest import raw


async def test_the_bot_knows_itself(bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.username, me.is_bot) == (1000, "sandbox_bot", True)


async def test_people_see_the_commands_in_their_language(telegram: Telegram, bot: Bot) -> None:
    await bot.set_my_commands([BotCommand("new", "Start over")])
    await bot.set_my_commands([BotCommand("new", "重新开始")], language_code="zh")
    assert telegram.menu("zh-hans") == {"new": "重新开始"}
    assert telegram.menu("de") == telegram.menu() == {"new": "Start over"}
    await bot.set_my_commands([], language_code="zh")
    assert telegram.menu("zh-hans") == {"new": "Start over"}


@pytest.mark.parametrize(
    ("commands", "refusal"),
    [
        ([{"command": "New", "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "new", "description": ""}], "BOT_COMMAND_DESCRIPTION_INVALID"),
        ([{"command": f"c{n}", "description": "x"} for n in range(101)], "BOT_COMMANDS_TOO_MUCH"),
        (["new"], "expected an Object"),
        ({}, "expected an Array of BotCommand"),
        ("[", "can't parse commands JSON object"),
    ],
)
async def test_malformed_commands_are_refused(
    telegram: Telegram, commands: object, refusal: str
) -> None:
    _, body = await raw(telegram, "setMyCommands", commands=commands)
    assert refusal in body["description"]
    assert telegram.menu() == {}


async def test_a_language_has_two_or_three_letters(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="Lang_code_invalid"):
        await bot.set_my_commands([BotCommand("new", "Start over")], language_code="zh-hans")
