"""Commands typed where the bot is not, and cannot write: who typed one is told what to do."""

from __future__ import annotations

import pytest

from bot.core.types import Reply
from bot.errors import ChatGone
from bot.sandbox.slack.people import Place
from tests.platforms.slack.running import Running

ENGLISH = "I am not in this conversation: invite me, or write to me directly."
CHINESE = "我不在这个聊天里：请邀请我，或者直接给我发消息。"


def somewhere_else(bot: Running, *, locale: str = "en-US") -> Place:
    """A conversation in which the bot may not write."""
    bot.sandbox.workspace.scopes.discard("chat:write.public")
    ada = bot.sandbox.person("Ada", locale=locale)
    return ada.channel(bot.sandbox.channel("private", with_bot=False))


async def said(bot: Running, place: Place) -> list[str]:
    """What the bot has said there, as soon as it has said something."""
    await bot.sandbox.wait_for(lambda: bool(place.answers()))
    return [seen.text for seen in place.answers()]


@pytest.mark.parametrize(("locale", "line"), [("en-US", ENGLISH), ("zh-CN", CHINESE)])
async def test_a_command_where_the_bot_is_not_is_told_so_in_ones_language(
    bot: Running, locale: str, line: str
) -> None:
    place = somewhere_else(bot, locale=locale)
    bea = bot.sandbox.person("Bea").channel(bot.sandbox.channel("private"))
    await place.slash("/model")
    command = await bot.inbox.heard()
    for _ in range(2):  # a turn may say more than one thing
        with pytest.raises(ChatGone):
            await bot.platform.send(command.ref.chat, Reply(text="x", answering=command.ref))
    assert await said(bot, place) == [line]
    assert bea.answers() == []  # nobody else sees it


async def test_so_is_a_question_whose_answer_cannot_be_written(bot: Running) -> None:
    place = somewhere_else(bot)
    await place.slash("/chinwag what is love")
    draft = bot.platform.draft(await bot.inbox.heard())
    with pytest.raises(ChatGone):
        await draft.finish(Reply(text="A word with four letters."))
    assert await said(bot, place) == [ENGLISH]


@pytest.mark.parametrize(
    "code", ["restricted_action_read_only_channel", "restricted_action_thread_locked"]
)
async def test_where_no_app_may_write_nothing_is_tried_again(bot: Running, code: str) -> None:
    place = bot.sandbox.person("Ada", locale="zh-CN").channel(bot.sandbox.channel("news"))
    await place.slash("/help")
    command = await bot.inbox.heard()
    bot.sandbox.faults.fail_next(200, code, method="chat.postMessage")
    with pytest.raises(ChatGone):
        await bot.platform.send(command.ref.chat, Reply(text="x", answering=command.ref))
    assert await said(bot, place) == ["我不能在这个聊天里发言：请直接给我发消息。"]


async def test_where_a_command_can_be_answered_no_such_thing_is_said(bot: Running) -> None:
    place = bot.sandbox.person("Ada").channel(bot.sandbox.channel("general"))
    await place.slash("/help")
    command = await bot.inbox.heard()
    await bot.platform.send(command.ref.chat, Reply(text="help", answering=command.ref))
    assert await said(bot, place) == ["help"]
