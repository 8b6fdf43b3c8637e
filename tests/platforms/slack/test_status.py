"""The line that says the bot is at work."""

from __future__ import annotations

import asyncio

from bot.core.types import Reply
from bot.platforms.slack.ids import make_chat
from tests.platforms.slack.running import Running


async def test_it_shows_under_the_question_and_goes_away(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    await ada.dm.send("hello")
    await bot.inbox.holds(1)
    chat = bot.inbox.message().ref.chat
    async with bot.platform.typing(chat):
        await bot.sandbox.wait_for(lambda: bool(ada.dm.status()))
    await bot.sandbox.wait_for(lambda: not ada.dm.status())


async def test_it_goes_away_when_the_work_is_cancelled(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    general = ada.channel(bot.sandbox.channel("general"))
    await general.send("<@BOT> hello")
    await bot.inbox.holds(1)

    async def work() -> None:
        async with bot.platform.typing(bot.inbox.message(0).ref.chat):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await bot.sandbox.wait_for(lambda: bool(general.status()))
    task.cancel()
    await bot.sandbox.wait_for(lambda: not general.status())


async def test_where_it_cannot_be_shown_nothing_fails_and_slack_is_left_alone(
    bot: Running,
) -> None:
    bot.sandbox.workspace.scopes.discard("assistant:write")
    ada = bot.sandbox.person("Ada")
    await ada.dm.send("hello")
    await bot.inbox.holds(1)
    method = "assistant.threads.setStatus"
    chat = bot.inbox.message().ref.chat
    for _ in range(2):
        async with bot.platform.typing(chat):
            await bot.sandbox.wait_for(lambda: bool(bot.sandbox.calls_to(method)))
            await bot.platform.send(chat, Reply(text="the refusal has been heard by now"))
    assert len(bot.sandbox.calls_to(method)) == 1


async def test_after_a_restart_a_direct_message_has_no_line_and_no_error(bot: Running) -> None:
    ada = bot.sandbox.person("Ada")
    async with bot.platform.typing(make_chat(bot.sandbox.workspace.team, ada.dm.id, "")):
        pass
    assert bot.sandbox.calls_to("assistant.threads.setStatus") == []
