"""Looking for messages that a process posted right before it died."""

from __future__ import annotations

import pytest

from bot.core.types import Button, Reply
from bot.platforms.telegram.ids import make_chat
from tests.platform_contract import HastyClock
from tests.platforms.telegram.stage import Opener, group, private, staged, topic

AGAIN = ((Button("Again", "v"),),)


@pytest.mark.parametrize("opened", [private, group])
async def test_a_message_that_nobody_wrote_down_is_taken_away(opened: Opener) -> None:
    async with staged(opened) as stage:
        asked = stage.incoming.ref
        known = await stage.platform.send(asked.chat, Reply(text="known"))
        await stage.platform.send(asked.chat, Reply(text="lost"))
        await stage.platform.sweep(asked.chat, after=[asked], keep=[known])
        assert await stage.kept() == ["known"]


async def test_what_was_lost_behind_what_nobody_has_told_of_yet_is_taken_away_too() -> None:
    async with staged(private, clock=HastyClock()) as stage:
        asked = stage.incoming.ref
        for _ in range(6):
            stage.view.send("and another thing")
        for _ in range(6):
            await stage.platform.send(asked.chat, Reply(text="lost"))
        await stage.platform.sweep(asked.chat, after=[asked], keep=[])
        assert await stage.kept() == []


async def test_what_had_no_room_in_a_message_is_not_taken_for_lost() -> None:
    async with staged(private, clock=HastyClock()) as stage:
        asked = stage.incoming.ref
        known = await stage.platform.send(asked.chat, Reply(text="word " * 1500))
        await stage.platform.send(asked.chat, Reply(text="lost"))
        await stage.platform.sweep(asked.chat, after=[asked], keep=[known])
        assert " ".join(await stage.kept()).split() == ["word"] * 1500


@pytest.mark.parametrize("at", ["topic", "general"])
async def test_in_a_forum_no_answer_of_another_topic_is_taken_away(at: str) -> None:
    async with staged(topic) as stage:
        asked = stage.incoming.ref
        general = make_chat(stage.view.id)
        for chat in (general, asked.chat, general):
            await stage.platform.send(chat, Reply(text="an answer", buttons=AGAIN))
        place = asked.chat if at == "topic" else general
        await stage.platform.sweep(place, after=[asked], keep=[])
        posted = [m for m in stage.telegram.chats[stage.view.id].messages.values() if m.keyboard]
        assert [message.text for message in posted] == ["an answer"] * 3


@pytest.mark.parametrize("opened", [private, group])
async def test_what_was_posted_later_than_the_lost_is_let_be(opened: Opener) -> None:
    async with staged(opened, clock=HastyClock()) as stage:
        asked = stage.incoming.ref
        await stage.platform.send(asked.chat, Reply(text="lost"))
        answer, _ = [
            await stage.platform.send(asked.chat, Reply(text=text))
            for text in ("answer", "its file")
        ]
        await stage.platform.sweep(asked.chat, after=[asked], keep=[], before=[asked, answer])
        assert await stage.kept() == ["answer", "its file"]
