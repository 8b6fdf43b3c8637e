"""What people find when they open the bot's messages, and the command that takes all others."""

from __future__ import annotations

import pytest

from bot.core.types import CommandInfo
from tests.platforms.slack.running import Running


async def test_who_opens_the_messages_is_greeted_with_things_to_say(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.open()
    await bot.sandbox.wait_for(lambda: bool(ada.offered()[1]))
    title, offered = ada.offered()
    assert title == "Hello! What can I do for you?"
    assert len(offered) == 4
    await ada.pick("What can you do?")
    assert (await bot.inbox.heard()).text == "/help"


async def test_it_speaks_their_language(bot: Running) -> None:
    wu = bot.sandbox.person("吴", locale="zh-CN")
    await wu.open()
    await bot.sandbox.wait_for(lambda: bool(wu.offered()[1]))
    assert wu.offered()[0] == "你好！有什么可以帮你的？"


async def test_nobody_is_greeted_twice_and_no_other_tab_counts(bot: Running) -> None:
    ada, bea = bot.sandbox.person("Ada"), bot.sandbox.person("Bea")
    await bea.open("home")
    for _ in range(3):
        await ada.open()
    await bot.sandbox.wait_for(lambda: bool(ada.offered()[1]))
    await bot.settled()
    assert len(bot.sandbox.calls_to("assistant.threads.setSuggestedPrompts")) == 1
    assert bot.inbox.events == []


async def test_an_app_that_may_not_greet_stays_quiet(bot: Running) -> None:
    bot.sandbox.workspace.scopes.discard("assistant:write")
    ada = bot.sandbox.person("Ada")
    await ada.open()
    method = "assistant.threads.setSuggestedPrompts"
    await bot.sandbox.wait_for(lambda: bool(bot.sandbox.calls_to(method)))
    await bot.settled()
    assert ada.offered() == ("", [])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/chinwag", "/help"),
        ("/chinwag search milk", "/search milk"),
        ("/chinwag /search milk", "/search milk"),
        ("/chinwag !Search milk", "/Search milk"),
        ("/chinwag who discovered it?", "who discovered it?"),
        ("/model gpt", "/model gpt"),
    ],
)
async def test_one_command_takes_all_others_and_questions(
    bot: Running, typed: str, meant: str
) -> None:
    await bot.platform.publish([CommandInfo(name="search", summary="Search")])
    await bot.sandbox.person("Ada").dm.slash(typed)
    assert (await bot.inbox.heard()).text == meant
