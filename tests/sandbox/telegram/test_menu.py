from __future__ import annotations

import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.error import BadRequest

from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.sandbox.telegram.conftest import raw


async def test_people_see_the_commands_in_their_language(telegram: Telegram, bot: Bot) -> None:
    await bot.set_my_commands([BotCommand("new", "Start over")])
    await bot.set_my_commands([BotCommand("new", "重新开始")], language_code="zh")
    assert telegram.menu("zh-hans") == {"new": "重新开始"}
    assert telegram.menu("de") == telegram.menu() == {"new": "Start over"}
    await bot.delete_my_commands(language_code="zh")
    assert telegram.menu("zh-hans") == {"new": "Start over"}


async def test_the_narrowest_scope_wins(telegram: Telegram, bot: Bot, ann: ChatView) -> None:
    group = telegram.group()
    await bot.set_my_commands([BotCommand("new", "all")])
    private, groups = BotCommandScopeAllPrivateChats(), BotCommandScopeAllGroupChats()
    await bot.set_my_commands([BotCommand("new", "private")], scope=private)
    assert telegram.menu(chat=ann.id) == {"new": "private"}
    assert telegram.menu(chat=group.id) == {"new": "all"}
    await bot.set_my_commands([BotCommand("new", "groups")], scope=groups)
    await bot.set_my_commands([BotCommand("new", "here")], scope=BotCommandScopeChat(ann.id))
    assert telegram.menu(chat=ann.id) == {"new": "here"}
    assert telegram.menu(chat=group.id) == {"new": "groups"}
    (command,) = await bot.get_my_commands(scope=groups)
    assert command.description == "groups"


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


async def test_wrong_scopes_and_languages_are_refused(telegram: Telegram, bot: Bot) -> None:
    commands = [BotCommand("new", "Start over")]
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.set_my_commands(commands, scope=BotCommandScopeChat(4))
    with pytest.raises(BadRequest, match="Lang_code_invalid"):
        await bot.set_my_commands(commands, language_code="zh-hans")
    _, body = await raw(telegram, "setMyCommands", commands=[], scope={"type": "moon"})
    assert body["description"] == "Bad Request: unsupported type specified"


async def test_name_and_descriptions_are_kept_per_language(telegram: Telegram, bot: Bot) -> None:
    assert (await bot.get_my_name()).name == "Sandbox"
    await bot.set_my_name("Chinwag")
    await bot.set_my_description("Talk to me")
    await bot.set_my_description("跟我说话", language_code="zh")
    await bot.set_my_short_description("Talks")
    assert (await bot.get_my_name()).name == "Chinwag"
    assert (await bot.get_my_description("zh")).description == "跟我说话"
    assert (await bot.get_my_description("de")).description == "Talk to me"
    assert (await bot.get_my_short_description()).short_description == "Talks"
    with pytest.raises(BadRequest):
        await bot.set_my_short_description("x" * 121)
