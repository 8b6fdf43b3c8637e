"""A post whose answer got lost: what it posted is found again, and nothing else taken for it."""

from __future__ import annotations

import pytest

from bot.core.types import Button, Reply, Style
from bot.errors import OutcomeUnknown, RateLimited
from bot.platforms.telegram import receipts
from bot.platforms.telegram.ids import make_chat, make_message
from bot.sandbox.telegram.people import Group
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.platform_contract import HastyClock
from tests.platforms.telegram.stage import Opener, TelegramStage, group, private, staged, topic

AGAIN = ((Button("Again", "v"),),)


async def answered(stage: TelegramStage, text: str) -> Reply:
    """An answer to the question, after which the next call is carried out, and its answer lost."""
    asked = stage.incoming.ref
    await stage.platform.send(asked.chat, Reply(text="known", answering=asked))
    await stage.drop_next()
    return Reply(text=text, answering=asked, buttons=AGAIN)


@pytest.mark.parametrize("style", [Style(), Style(rich=True)], ids=["classic", "rich"])
@pytest.mark.parametrize("opened", [private, group, topic])
async def test_what_stands_there_all_the_same_is_found(opened: Opener, style: Style) -> None:
    async with staged(opened, clock=HastyClock(), style=style) as stage:
        reply = await answered(stage, "**two**")
        ref = await stage.platform.send(stage.incoming.ref.chat, reply)
        assert await stage.kept() == ["known", "two"]
        assert await stage.buttons() == ["Again"]
        await stage.platform.edit(ref, Reply(text="three"))
        assert await stage.kept() == ["known", "three"]


async def test_it_is_found_behind_what_people_write_meanwhile() -> None:
    async with staged(private, clock=HastyClock()) as stage:
        await answered(stage, "")
        asked = stage.incoming.ref
        stage.telegram.faults.clear()
        for _ in range(6):
            stage.view.send("and another thing")
        await stage.drop_next()
        await stage.platform.send(asked.chat, Reply(text="two", answering=asked))
        assert await stage.kept() == ["known", "two"]


@pytest.mark.parametrize("opened", [private, group, topic])
async def test_what_was_not_carried_out_is_not_found(opened: Opener) -> None:
    async with staged(opened, clock=HastyClock()) as stage:
        reply = await answered(stage, "two")
        stage.telegram.faults.clear()
        stage.telegram.faults.fail_next(502, method="sendMessage")
        with pytest.raises(OutcomeUnknown):
            await stage.platform.send(stage.incoming.ref.chat, reply)
        assert await stage.kept() == ["known"]


async def test_an_answer_waits_only_for_a_while_until_it_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(receipts, "LONGEST", 0.05)
    async with staged(private, clock=HastyClock()) as stage:
        reply = await answered(stage, "two")
        stage.telegram.faults.hang_next(method="editMessageReplyMarkup")
        with pytest.raises(OutcomeUnknown):
            await stage.platform.send(stage.incoming.ref.chat, reply)
        assert await stage.kept() == ["known", "two"]


async def test_where_two_messages_may_be_it_none_is_taken_for_it() -> None:
    async with staged(private, clock=HastyClock()) as stage:
        reply = await answered(stage, "two")
        with pytest.raises(OutcomeUnknown):
            await stage.platform.send(stage.incoming.ref.chat, Reply(text="answers nothing"))
        await stage.drop_next()
        with pytest.raises(OutcomeUnknown):
            await stage.platform.send(stage.incoming.ref.chat, reply)
        assert await stage.kept() == ["known", "answers nothing", "two"]


@pytest.mark.parametrize("style", [Style(), Style(rich=True)], ids=["classic", "rich"])
@pytest.mark.parametrize("fault", ["refuse", "fail", "drop"])
async def test_what_is_found_is_found_though_it_cannot_be_changed_now(
    style: Style, fault: str
) -> None:
    async with staged(private, clock=HastyClock(), style=style) as stage:
        reply = await answered(stage, "two")
        faults = stage.telegram.faults
        match fault:
            case "refuse":
                faults.refuse_next(1, method="editMessageText")
            case "fail":
                faults.fail_next(502, method="editMessageText")
            case "drop":
                faults.drop_next(method="editMessageText")
        ref = await stage.platform.send(stage.incoming.ref.chat, reply)
        assert await stage.kept() == ["known", "two"]
        assert await stage.buttons() == ["Again"]
        assert ref.id


async def test_the_lost_message_of_another_topic_is_not_taken_for_it() -> None:
    forums: list[Group] = []

    def opened(telegram: Telegram) -> ChatView:
        forums.append(telegram.group("Forum", forum=True))
        ann = telegram.person()
        return forums[0].seen_by(ann, topic=forums[0].open_topic("Talk", ann))

    async with staged(opened, clock=HastyClock()) as stage:
        (forum,), ann = forums, stage.telegram.person()
        other = forum.seen_by(ann, topic=forum.open_topic("Other", ann))
        asked = make_message(make_chat(other.id, other.topic), other.send("@sandbox_bot hi"))
        reply, faults = await answered(stage, "one"), stage.telegram.faults
        faults.fail_next(502, method="editMessageReplyMarkup")
        with pytest.raises(OutcomeUnknown):
            await stage.platform.send(stage.incoming.ref.chat, reply)
        faults.fail_next(502, method="sendMessage")
        with pytest.raises(OutcomeUnknown):
            await stage.platform.send(asked.chat, Reply(text="two", answering=asked))
        assert await stage.kept() == ["known", "one"]


async def test_nothing_more_is_sent_to_a_chat_that_is_blocked_while_it_is_looked_through() -> None:
    async with staged(private, clock=HastyClock()) as stage:
        reply = await answered(stage, "two")
        stage.telegram.faults.refuse_next(3, method="editMessageReplyMarkup")
        with pytest.raises(OutcomeUnknown):
            await stage.platform.send(stage.incoming.ref.chat, reply)
        made, draft = len(stage.telegram.calls), stage.platform.draft(stage.incoming)
        with pytest.raises(RateLimited):
            await draft.show("more")
        assert len(stage.telegram.calls) == made
