"""Looking for messages that a process posted right before it died."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.fakes.clock import ManualClock
from bot.core.types import Button, Reply
from bot.errors import RateLimited
from bot.platforms.telegram import connect
from bot.platforms.telegram.ids import make_chat
from tests.intake import Inbox, listening
from tests.patience import PATIENCE, until
from tests.platform_contract import HastyClock
from tests.platforms.telegram.stage import Opener, group, private, settings_for, staged, topic

AGAIN = ((Button("Again", "v"),),)


@pytest.mark.parametrize("opened", [private, group])
async def test_a_message_that_nobody_wrote_down_is_taken_away(opened: Opener) -> None:
    async with staged(opened, clock=HastyClock()) as stage:
        asked = stage.incoming.ref
        known = await stage.platform.send(asked.chat, Reply(text="known"))
        await stage.platform.send(asked.chat, Reply(text="lost"))
        await stage.platform.sweep(asked.chat, after=[asked], keep=[known])
        assert await stage.kept() == ["known"]


async def test_what_was_lost_behind_what_telegram_tells_of_only_now_is_taken_away_too() -> None:
    async with staged(private, clock=HastyClock()) as stage:
        asked = stage.incoming.ref
        for _ in range(6):
            stage.view.send("and another thing")
        for _ in range(6):
            await stage.platform.send(asked.chat, Reply(text="lost"))
        inbox = Inbox()
        async with listening(stage.platform, inbox):
            await inbox.holds(7)
            await stage.platform.sweep(asked.chat, after=[asked], keep=[])
        assert await stage.kept() == []


async def test_it_is_waited_for_what_was_written_while_no_bot_was_there() -> None:
    async with staged(private) as stage:
        asked, calls = stage.incoming.ref, stage.telegram.calls
        stage.view.send("and another thing")
        await stage.platform.send(asked.chat, Reply(text="lost"))
        looking = asyncio.create_task(stage.platform.sweep(asked.chat, after=[asked], keep=[]))
        await until(lambda: calls.of("editMessageReplyMarkup"))
        async with listening(stage.platform, Inbox()):
            await looking
        assert await stage.kept() == []


@pytest.mark.parametrize("put_off", [False, True])
@pytest.mark.parametrize("opened", [private, group])
async def test_an_answer_to_what_the_database_does_not_know_is_let_be(
    opened: Opener, *, put_off: bool
) -> None:
    """It is a copy of before; the bot went on."""
    async with staged(opened, clock=HastyClock()) as stage:
        asked = stage.incoming.ref
        await stage.platform.send(asked.chat, Reply(text="lost"))
        for text in ("a later question", "another"):
            stage.view.send(text)
            await stage.platform.send(asked.chat, Reply(text=f"answer to {text}"))
        again = await stage.platform.send(asked.chat, Reply(text="the answer once more"))
        before, keep = ([again], []) if put_off else ([], [again])
        await stage.platform.sweep(asked.chat, after=[asked], keep=keep, before=before)
        later = ["answer to a later question", "answer to another"]
        assert await stage.kept() == [*later, "the answer once more"]


async def test_an_edit_of_what_the_database_does_not_know_lets_no_later_answer_go() -> None:
    async with staged(private, clock=HastyClock()) as stage:
        asked = stage.incoming.ref
        later = stage.view.send("a later question")
        await stage.platform.send(asked.chat, Reply(text="its answer"))
        at_that_time = connect(settings_for(stage.telegram), clock=HastyClock())
        async with listening(at_that_time, inbox := Inbox()):
            await inbox.holds(2)
            await until(lambda: not stage.telegram.updates.pending)  # they were confirmed
        await at_that_time.close()
        stage.view.edit(later, "a better one")
        async with listening(stage.platform, inbox := Inbox()):
            await inbox.holds()
            await stage.platform.sweep(asked.chat, after=[asked], keep=[])
        assert await stage.kept() == ["its answer"]


async def test_what_had_no_room_in_a_message_is_not_taken_for_lost() -> None:
    async with staged(private, clock=HastyClock()) as stage:
        asked = stage.incoming.ref
        known = await stage.platform.send(asked.chat, Reply(text="word " * 1500))
        await stage.platform.send(asked.chat, Reply(text="lost"))
        await stage.platform.sweep(asked.chat, after=[asked], keep=[known])
        assert " ".join(await stage.kept()).split() == ["word"] * 1500


async def test_while_it_is_looked_for_a_block_of_the_chat_holds_for_all() -> None:
    """Each call to a chat that is blocked makes the block longer."""
    clock = ManualClock()
    async with staged(private, clock=clock) as stage:
        asked, calls = stage.incoming.ref, stage.telegram.calls
        known = await stage.platform.send(asked.chat, Reply(text="known"))
        stage.telegram.faults.refuse_next(20, method="editMessageText")
        with pytest.raises(RateLimited):
            await stage.platform.edit(known, Reply(text="known so far"))
        looking = asyncio.create_task(stage.platform.sweep(asked.chat, after=[asked], keep=[known]))
        stage.telegram.faults.refuse_next(30, method="editMessageReplyMarkup")
        await clock.advance(19)
        assert not calls.of("editMessageReplyMarkup")
        await clock.advance(2)
        await stage.view.wait_for(lambda _: calls.refused == 2)
        await clock.settle()
        made = len(calls)
        with pytest.raises(RateLimited):
            await stage.platform.draft(stage.incoming).show("more")
        assert len(calls) == made
        await clock.drive(asyncio.wait_for(looking, PATIENCE))


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
