"""`/broadcast`: asked back once, each chat at most once, also through a kill."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.access import Access
from bot.core.clock import SystemClock
from bot.core.commands import broadcast
from bot.core.fakes.platform import ANN, CHAT, FakePlatform
from bot.core.types import ChatId, ChatRef, MessageRef, Reply, Sender, UserId
from bot.errors import OutcomeUnknown, PlatformDown, PlatformError, RateLimited
from tests.house import QUICK, House, open_house
from tests.patience import PATIENCE, until

BOSS = Sender(UserId("7"), "Boss")
ACCESS = Access(open=True, admins=frozenset({"fake:7"}))
NEWS = "I am **down** tonight."


async def _at_once(chat: ChatRef) -> None:
    """Nothing is in the way."""


class Post(FakePlatform):
    """A platform on which something may happen just before or after a broadcast is sent."""

    def __init__(self) -> None:
        super().__init__(QUICK, clock=SystemClock())
        self.before: Callable[[ChatRef], Awaitable[None]] = _at_once
        self.after: Callable[[ChatRef], Awaitable[None]] = _at_once

    async def send(self, chat: ChatRef, reply: Reply) -> MessageRef:
        if not reply.bulk:
            return await super().send(chat, reply)
        await self.before(chat)
        ref = await super().send(chat, reply)
        await self.after(chat)
        return ref


def chats(count: int) -> list[ChatRef]:
    return [ChatRef("fake", ChatId(f"c{number}")) for number in range(count)]


async def met(house: House, *known: ChatRef) -> None:
    """Somebody has talked to the bot in these chats."""
    for chat in known:
        await house.say("hello", chat=chat)


def got(house: House, chat: ChatRef) -> int:
    return house.platform.kept(chat).count(NEWS)


async def test_who_is_shut_out_or_was_never_let_in_is_told_nothing(tmp_path: Path) -> None:
    access = Access(admins=ACCESS.admins, users=frozenset({"fake:1", "fake:2"}))
    direct, both, theirs, strange = chats(4)
    gone, stranger = Sender(UserId("2"), "Gone"), Sender(UserId("3"), "Stranger")
    async with open_house(tmp_path, access=access) as house:
        for chat, sender in [(direct, ANN), (both, ANN), (both, gone), (theirs, gone)]:
            await house.say("hello", chat=chat, sender=sender)
        await house.say("hello", chat=strange, sender=stranger)
        await house.say("/deny fake:2", sender=BOSS)
        *_, asked = await house.say(f"/broadcast {NEWS}", sender=BOSS)
        assert asked == f"📣 This goes to 2 chats:\n\n{NEWS}"
        await house.tell(house.platform.press("Send it", sender=BOSS))
        assert [got(house, chat) for chat in (direct, both, theirs, strange)] == [1, 1, 0, 0]


async def test_it_is_shown_and_then_sent_to_each_chat_once(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        known = [*chats(3), ChatRef("fake", ChatId("g/1")), ChatRef("fake", ChatId("g/2"))]
        await met(house, *known)
        [asked] = await house.say(f"/broadcast {NEWS}", sender=BOSS)
        assert asked == f"📣 This goes to 4 chats:\n\n{NEWS}"
        assert house.platform.buttons() == ["Send it", "Cancel"]
        assert [got(house, chat) for chat in known] == [0] * 5
        press = house.platform.press("Send it", sender=BOSS)
        assert await house.tell(press) == ["📣 Sent to 4 of 4 chats."]
        assert await house.tell(press) == ["📣 Sent to 4 of 4 chats."]  # delivered again
        assert [got(house, chat) for chat in known] == [1, 1, 1, 0, 0]
        assert got(house, ChatRef("fake", ChatId("g"))) == 1  # the group of both topics
        assert house.platform.buttons() == []


async def test_it_is_not_sent_when_the_admin_changes_their_mind(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        await met(house, *chats(2))
        await house.say(f"/broadcast {NEWS}", sender=BOSS)
        sending = house.platform.press("Send it", sender=BOSS)
        assert await house.press("Cancel", sender=BOSS) == ["Nothing was sent."]
        assert await house.tell(sending) == ["Nothing was sent."]
        assert [got(house, chat) for chat in chats(2)] == [0, 0]


async def test_chats_that_are_gone_shut_out_or_broken_hold_nobody_up(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        known = chats(5)
        await met(house, *known)
        await house.say("/deny c4", sender=BOSS)
        await house.say(f"/broadcast {NEWS}", sender=BOSS)
        house.platform.leave(known[1])
        await house.answered()
        house.platform.refuse_next(0.01)  # the platform asks for a pause
        text = (await house.press("Send it", sender=BOSS))[-1]
        assert text == "📣 Sent to 3 of 4 chats. 1 is gone."
        assert [got(house, chat) for chat in known] == [1, 0, 1, 1, 0]


async def test_it_can_be_stopped_on_the_way(tmp_path: Path) -> None:
    post = Post()
    async with open_house(tmp_path, access=ACCESS, platform=post) as house:
        known = chats(6)
        await met(house, *known)
        await house.say(f"/broadcast {NEWS}", sender=BOSS)
        held, third = asyncio.Event(), asyncio.Event()
        reached: list[ChatRef] = []

        async def slowly(chat: ChatRef) -> None:
            reached.append(chat)
            if len(reached) == 3:
                third.set()
                await held.wait()

        post.before = slowly
        await house.happen(house.platform.press("Send it", sender=BOSS))
        await house.sees("📣 Sending… 0 of 6")
        await asyncio.wait_for(third.wait(), PATIENCE)
        await house.happen(house.platform.press("⏹ Stop", sender=BOSS))
        await until(lambda: stopped(tmp_path))
        held.set()
        assert (await house.answered())[-1] == "📣 Sent to 3 of 6 chats. Stopped before the others."
        assert sum(got(house, chat) for chat in known) == 3


async def test_a_kill_is_survived_and_nobody_gets_it_twice(tmp_path: Path) -> None:
    after = tmp_path / "after"
    after.mkdir()
    post = Post()
    async with open_house(tmp_path, access=ACCESS, platform=post) as house:
        known = chats(5)
        await met(house, *known)
        await house.say(f"/broadcast {NEWS}", sender=BOSS)
        stuck = asyncio.Event()

        async def die_at_the_third(chat: ChatRef) -> None:
            if chat == known[2]:
                stuck.set()
                await asyncio.Event().wait()  # sent, but nobody will know

        post.after = die_at_the_third
        await house.happen(house.platform.press("Send it", sender=BOSS))
        await asyncio.wait_for(stuck.wait(), PATIENCE)
        with closing(sqlite3.connect(tmp_path / "house.db")) as running:
            running.execute("VACUUM INTO ?", (str(after / "house.db"),))  # as a kill leaves it
        post.after = _at_once  # in the next process
    async with open_house(after, access=ACCESS, platform=house.platform) as house:
        await house.sees("📣 Sent to 4 of 5 chats.")
    assert house.platform.kept()[-1] == (
        "📣 Sent to 4 of 5 chats. 1 may or may not have got it: I was interrupted there."
    )
    assert [got(house, chat) for chat in known] == [1] * 5


async def test_it_stays_where_an_answer_is_begun_anew_after_a_restart(tmp_path: Path) -> None:
    office = ChatRef("fake", ChatId("office"))
    async with open_house(tmp_path, access=ACCESS) as house:
        await met(house, CHAT)
        house.api.script.answer("slow words " * 40)
        async with house.answering("a long question", shows="slow words"):
            await house.say(f"/broadcast {NEWS}", chat=office, sender=BOSS)
            press = house.platform.press("Send it", chat=office, sender=BOSS)
            assert await house.tell(press, office) == ["📣 Sent to 1 of 1 chat."]
            await house.lanes.drain(0)  # the answer is left for the next start
    async with open_house(tmp_path, access=ACCESS, platform=house.platform) as house:
        await house.sees("**You said:** a long question")
        assert got(house, CHAT) == 1


def stopped(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / "house.db")) as database:
        return database.execute("SELECT state FROM broadcasts").fetchall() == [("stopped",)]


ALL = "📣 Sent to 2 of 2 chats."


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (PlatformError("no"), "📣 Sent to 1 of 2 chats. 1 could not be reached."),
        (
            OutcomeUnknown("it broke"),
            "📣 Sent to 1 of 2 chats. 1 may or may not have got it: I was interrupted there.",
        ),
        (RateLimited(0.01), ALL),
        (PlatformDown("no network"), ALL),
    ],
)
async def test_what_fails_is_counted_and_what_passes_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: PlatformError, told: str
) -> None:
    monkeypatch.setattr(broadcast, "PAUSE", 0.01)
    post, failures = Post(), [failure]

    async def fail_once(chat: ChatRef) -> None:
        if failures:
            raise failures.pop()

    post.before = fail_once
    async with open_house(tmp_path, access=ACCESS, platform=post) as house:
        await met(house, *chats(2))
        await house.say(f"/broadcast {NEWS}", sender=BOSS)
        assert (await house.press("Send it", sender=BOSS))[-1] == told


async def test_nobody_else_can_and_without_words_or_chats_there_is_help(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        text = (await house.say(f"/broadcast {NEWS}", sender=ANN))[-1]
        assert text == "/broadcast is only for the admins of this bot."
        text = (await house.say("/broadcast", sender=BOSS))[-1]
        assert text == "Write what to tell everybody: `/broadcast TEXT`"
        text = (await house.say(f"/broadcast {NEWS}", sender=BOSS))[-1]
        assert text == "There is no chat to tell it to yet."
        await met(house, *chats(1))
        await house.say(f"/broadcast {NEWS}", sender=BOSS)
        await house.press("Send it", sender=ANN)
        assert house.platform.notices[-1] == "This button belongs to somebody else."
        assert got(house, chats(1)[0]) == 0


async def test_how_far_it_is_is_said_now_and_then_and_holds_nothing_up(tmp_path: Path) -> None:
    tried: list[str] = []

    class Deaf(FakePlatform):
        """What says how far it is cannot be changed on it."""

        async def edit(self, ref: MessageRef, reply: Reply) -> None:
            if not reply.text.startswith("📣"):
                return await super().edit(ref, reply)
            tried.append(reply.text)
            raise PlatformError("no")

    deaf = Deaf(QUICK, clock=SystemClock())
    async with open_house(tmp_path, access=ACCESS, platform=deaf) as house:
        known = chats(6)
        await met(house, *known)
        await house.say(f"/broadcast {NEWS}", sender=BOSS)
        await house.press("Send it", sender=BOSS)
        assert [got(house, chat) for chat in known] == [1] * 6
        assert tried == ["📣 Sending… 0 of 6", "📣 Sent to 6 of 6 chats."]


async def test_a_group_that_is_shut_out_is_told_nothing_in_any_topic(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        topic = ChatRef("fake", ChatId("g/1"))
        await met(house, topic, *chats(1))
        await house.say("/deny fake:g", sender=BOSS)
        assert (await house.say(f"/broadcast {NEWS}", sender=BOSS))[-1].startswith(
            "📣 This goes to 1 chat:"
        )


async def test_chats_of_an_app_that_is_configured_no_more_are_left_out(tmp_path: Path) -> None:
    class Former(FakePlatform):
        name = "former"

    async with open_house(tmp_path, platform=Former(QUICK, clock=SystemClock())) as house:
        await house.say("hello", chat=ChatRef("former", ChatId("1")))
    async with open_house(tmp_path, access=ACCESS) as house:
        await met(house, *chats(1))
        assert (await house.say(f"/broadcast {NEWS}", sender=BOSS))[-1].startswith(
            "📣 This goes to 1 chat:"
        )


async def test_where_there_are_no_buttons_that_is_said(tmp_path: Path) -> None:
    plain = replace(QUICK, max_buttons=0)
    async with open_house(tmp_path, access=ACCESS, capabilities=plain) as house:
        await met(house, *chats(1))
        [text] = await house.say(f"/broadcast {NEWS}", sender=BOSS)
        assert text == "/broadcast does not work in this app, sorry."
