"""Groups that become supergroups: what the platform tells, and where it writes from then on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.core.types import ChatMoved, Reply
from bot.errors import MessageGone
from bot.platforms.telegram.ids import make_chat
from bot.platforms.telegram.moves import MOVES, Moves
from bot.sandbox.telegram.people import Group
from bot.sandbox.telegram.telegram import Telegram
from bot.sandbox.telegram.view import ChatView
from tests.intake import Inbox, listening
from tests.platform_contract import HastyClock
from tests.platforms.telegram.stage import TelegramStage, picture, staged


class Town:
    """A basic group that Ann is in, which may become a supergroup."""

    def __init__(self) -> None:
        self.group: Group | None = None

    def __call__(self, telegram: Telegram) -> ChatView:
        self.group = telegram.group("Friends", basic=True)
        return self.group.seen_by(telegram.person())

    def upgrade(self, stage: TelegramStage) -> ChatView:
        """The supergroup, as Ann sees it."""
        assert self.group is not None
        ann = stage.telegram.person()
        return self.group.upgrade(ann).seen_by(ann)


@pytest.fixture
def town() -> Town:
    return Town()


@pytest.fixture
async def stage(town: Town) -> AsyncIterator[TelegramStage]:
    async with staged(town, clock=HastyClock()) as stage:
        yield stage


async def test_both_service_messages_say_the_same(stage: TelegramStage, town: Town) -> None:
    inbox = Inbox()
    async with listening(stage.platform, inbox):
        await inbox.only()
        now = town.upgrade(stage)
        moved = ChatMoved(old=make_chat(stage.view.id), new=make_chat(now.id))
        assert await inbox.holds(2) == [moved, moved]
        now.send("@sandbox_bot hello")
        await inbox.holds(3)


async def test_a_reply_that_nobody_told_of_the_move_finds_its_way(
    stage: TelegramStage, town: Town
) -> None:
    now = town.upgrade(stage)
    chat = stage.incoming.ref.chat
    reply = Reply(text="Here.", answering=stage.incoming.ref, files=(picture(), picture("b.png")))
    ref = await stage.platform.send(chat, reply)
    words, *pictures = now.screen().answers
    assert words.text == "Here." and words.reply_to is None and len(pictures) == 2
    assert ref.chat == make_chat(now.id)
    assert stage.platform.newest(chat) is not None
    await stage.platform.edit(ref, Reply(text="Here, too."))
    assert now.screen().answers[0].text == "Here, too."
    assert [message for message in stage.view.kept() if message.by_bot] == []


async def test_an_answer_being_written_is_written_anew(stage: TelegramStage, town: Town) -> None:
    draft = stage.platform.draft(stage.incoming)
    await draft.show("It begins")
    now = town.upgrade(stage)
    with pytest.raises(MessageGone):  # its message stays in the old group
        await draft.show("It begins and goes on")
    again = stage.platform.draft(stage.incoming)
    await again.show("It begins and goes on")
    await again.finish(Reply(text="It begins and ends."))
    assert [message.text for message in now.kept() if message.by_bot] == ["It begins and ends."]


async def test_what_stands_in_the_old_group_is_left_alone(stage: TelegramStage, town: Town) -> None:
    chat = stage.incoming.ref.chat
    old = await stage.platform.send(chat, Reply(text="Before."))
    now = town.upgrade(stage)
    await stage.platform.send(chat, Reply(text="After."))
    await stage.platform.delete([old])
    await stage.platform.sweep(chat, after=[old], keep=[])
    with pytest.raises(MessageGone):
        await stage.platform.edit(old, Reply(text="Changed."))
    assert [m.text for m in (*stage.view.kept(), *now.kept()) if m.by_bot] == ["Before.", "After."]


def test_of_very_many_groups_that_moved_the_oldest_is_forgotten() -> None:
    moves = Moves()
    for group in range(MOVES + 1):
        moves.note(-1 - group, -1_001_000_000_001 - group)
    oldest, next_one = make_chat(-1), make_chat(-2)
    assert moves.chat(oldest) == oldest  # Telegram tells again, when something is posted there
    assert moves.chat(next_one) == make_chat(-1_001_000_000_002)
