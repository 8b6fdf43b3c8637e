"""What an earlier process posted and did not write down is taken away, and where it is looked."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Collection, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.broadcasts import Delivered
from bot.core.capabilities import Streaming
from bot.core.clock import SystemClock
from bot.core.engine import leftovers, searches
from bot.core.engine.leftovers import Leftovers
from bot.core.engine.searches import Searches
from bot.core.fakes.clock import ManualClock
from bot.core.fakes.platform import CHAT, FakePlatform
from bot.core.ports import Clock
from bot.core.queue import Outcome, Search
from bot.core.stores import Stores
from bot.core.types import ChatId, ChatRef, MessageRef, Person, Reply, UserId
from bot.errors import OutcomeUnknown, PlatformDown, PlatformError, RateLimited
from bot.sandbox.openai.faults import Hang
from bot.store import StorageSettings, open_store
from tests.house import QUICK, House, open_house
from tests.patience import PATIENCE, until

WHOLE = replace(QUICK, streaming=Streaming.NONE)
GIVEN_UP = "looking for lost messages given up"


class SlowlySearched(FakePlatform):
    """It takes a moment to find what was lost: meanwhile something else may be posted."""

    searches = 0

    async def sweep(
        self,
        chat: ChatRef,
        *,
        after: Sequence[MessageRef],
        keep: Collection[MessageRef],
        before: Collection[MessageRef] = (),
    ) -> None:
        """Find what stands there at the end of that moment."""
        self.searches += 1
        stood = len(self.refs(chat))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                while len(self.refs(chat)) == stood:  # noqa: ASYNC110 - a view
                    await asyncio.sleep(0.002)
        await super().sweep(chat, after=after, keep=keep, before=before)


def looking(platform: FakePlatform, stores: Stores, clock: Clock) -> Leftovers:
    """What looks for lost messages."""
    platforms = {platform.name: platform}
    return Leftovers(platforms, stores, Searches(platforms, stores, clock), clock)


async def come_back(
    platform: FakePlatform, stores: Stores, found: Leftovers, chat: ChatRef
) -> list[str]:
    """Come to a turn of an earlier process, and its lost message; returns what stands then."""
    event = platform.message("hello", chat=chat)
    accepted = await stores.turns.accept(event, urgent=False, begin=True)
    assert accepted.turn is not None
    await platform.send(chat, Reply(text="lost"))
    await found.tidy(accepted.turn, (), ours=False)
    await stores.turns.finish(accepted.turn_id, Outcome())
    return platform.kept(chat)


async def test_a_chat_is_looked_through_once_and_is_not_known_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "CHATS", 3)
    platform = FakePlatform(clock=SystemClock())
    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/bot.db")) as stores:
        found = looking(platform, stores, SystemClock())
        assert await come_back(platform, stores, found, CHAT) == []
        assert await come_back(platform, stores, found, CHAT) == ["lost"]
        for number in range(3):
            other = ChatRef("fake", ChatId(f"other {number}"))
            assert await come_back(platform, stores, found, other) == []
        assert await come_back(platform, stores, found, CHAT) == ["lost"]  # of the time before


class HardlySearched(FakePlatform):
    """Looking for what was lost fails at first, and then hangs if it `hangs`."""

    def __init__(self, *failures: PlatformError, hangs: bool = False) -> None:
        super().__init__(clock=SystemClock())
        self._failures, self._hangs = list(failures), hangs
        self.searching = asyncio.Event()

    def recover(self) -> None:
        """Fail no more."""
        self._failures.clear()

    async def sweep(
        self,
        chat: ChatRef,
        *,
        after: Sequence[MessageRef],
        keep: Collection[MessageRef],
        before: Collection[MessageRef] = (),
    ) -> None:
        """Fail, hang, or find it."""
        self.searching.set()
        if self._failures:
            raise self._failures.pop(0)
        if self._hangs:
            await asyncio.Event().wait()
        await super().sweep(chat, after=after, keep=keep, before=before)


async def search(folder: Path, platform: HardlySearched, seconds: float) -> list[str]:
    """Come to such a turn, which goes on after so many seconds; returns what stands then."""
    clock = ManualClock()
    async with open_store(StorageSettings(url=f"sqlite:///{folder}/bot.db")) as stores:
        found = looking(platform, stores, clock)
        coming = asyncio.create_task(come_back(platform, stores, found, CHAT))
        await platform.searching.wait()
        await clock.advance(seconds)
        async with asyncio.timeout(PATIENCE):
            return await coming


async def test_what_could_not_be_looked_for_is_looked_for_again(tmp_path: Path) -> None:
    failures = (RateLimited(3.0), PlatformDown("503"), OutcomeUnknown("the connection broke"))
    assert await search(tmp_path, HardlySearched(*failures), 3.0 + 2.0 + 5.0) == []


@pytest.mark.parametrize(
    "failures",
    [(), (RateLimited(600.0),), tuple(PlatformDown("503") for _ in range(9))],
    ids=["hangs", "refuses", "fails"],
)
async def test_an_answer_waits_only_for_a_while_for_what_cannot_be_looked_for(
    tmp_path: Path, failures: Sequence[PlatformError]
) -> None:
    platform = HardlySearched(*failures, hangs=True)
    assert await search(tmp_path, platform, searches.LONGEST) == ["lost"]


async def test_what_could_not_be_looked_for_in_time_is_looked_for_by_the_next_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    monkeypatch.setattr(leftovers, "PAUSES", (0.01,))
    monkeypatch.setattr(searches, "FIRST", 0.01)
    monkeypatch.setattr(searches, "AGAIN", 0.01)
    down = [PlatformDown("503")] * 1_000_000
    platform = HardlySearched(*down)
    async with open_house(tmp_path, platform=platform) as house:
        house.api.faults.add(Hang(), on="/chat/completions")
        await house.write("first")
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
        await platform.send(CHAT, Reply(text="lost"))
    async with open_house(tmp_path, platform=platform) as house:
        house.api.script.answer("an answer")
        await house.sees("an answer")
        await house.answered()
        await platform.send(CHAT, Reply(text="a file of the answer"))
        await until(lambda: "still not swept" in caplog.messages)
    assert platform.kept() == ["lost", "an answer", "a file of the answer"]
    platform.recover()
    async with open_house(tmp_path, platform=platform) as house:
        await house.vanishes("lost")
        await until(lambda: caplog.messages.count("swept after all") == 1)
        house.api.script.answer("another")
        assert await house.say("second") == ["an answer", "a file of the answer", "another"]
    assert caplog.messages.count("swept after all") == 1


async def test_a_broadcast_that_came_meanwhile_is_not_taken_for_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    monkeypatch.setattr(searches, "FIRST", 0.01)
    platform = FakePlatform(clock=SystemClock())
    ref = await platform.send(CHAT, Reply(text="asked"))
    await platform.send(CHAT, Reply(text="lost"))
    news = await platform.send(CHAT, Reply(text="news for all"))
    answer = await platform.send(CHAT, Reply(text="an answer"))
    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/news.db")) as stores:
        asked = platform.message("one")
        turn_id = (await stores.turns.accept(asked, urgent=False, begin=True)).turn_id
        search = Search(chat=CHAT, after=(ref,), keep=(), before=(answer,))
        await stores.turns.put_off(turn_id, search)
        await stores.turns.finish(turn_id, Outcome())
        number = await stores.broadcasts.draft("news for all", Person("fake", UserId("1")))
        await stores.broadcasts.start(number, [CHAT])
        await stores.broadcasts.mark(number, CHAT, Delivered.SENT, news)
        rounds = asyncio.create_task(Searches({"fake": platform}, stores, SystemClock()).run())
        await until(lambda: "swept after all" in caplog.messages)
        rounds.cancel()
    assert platform.kept() == ["asked", "news for all", "an answer"]


async def test_later_answers_are_let_be_where_a_turn_with_much_before_it_said_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    monkeypatch.setattr(searches, "FIRST", 0.01)
    monkeypatch.setattr(searches, "KEPT", 1)
    platform = FakePlatform(clock=SystemClock())
    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/quiet.db")) as stores:
        for text in ("one", "two", "three"):
            asked = platform.message(text)
            accepted = await stores.turns.accept(asked, urgent=False, begin=True)
            if text != "three":
                await stores.turns.finish(accepted.turn_id, Outcome())
        turn, looks = accepted.turn, Searches({"fake": platform}, stores, SystemClock())
        assert turn is not None
        looks.put_off(turn, [asked.ref], await stores.turns.known_messages(turn.id))
        await looks.write_down(turn, [])
        await stores.turns.finish(turn.id, Outcome())
        await platform.send(CHAT, Reply(text="a later answer"))
        rounds = asyncio.create_task(looks.run())
        await until(lambda: set(caplog.messages) & {"swept after all", GIVEN_UP})
        rounds.cancel()
    assert platform.kept() == ["a later answer"]


async def test_it_is_looked_for_also_when_its_turn_was_interrupted_too_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "PAUSES", (0.01,))
    monkeypatch.setattr(searches, "FIRST", 0.01)
    platform = HardlySearched(*[PlatformDown("503")] * 1_000_000)
    async with open_house(tmp_path, platform=platform) as house:
        house.api.faults.add(Hang(), on="/chat/completions")
        await house.write("first")
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
        await platform.send(CHAT, Reply(text="lost"))
    with closing(sqlite3.connect(tmp_path / "house.db")) as database, database:
        database.execute("UPDATE turns SET attempt = 4")  # killed three times over
    async with open_house(tmp_path, platform=platform) as house:
        await house.sees("three times over")
        assert len(await house.answered()) == 2
    platform.recover()
    async with open_house(tmp_path, platform=platform) as house:
        await house.vanishes("lost")
        assert platform.kept() == ["⏸ This answer was interrupted, three times over."]


class Mistaken(FakePlatform):
    """It makes a mistake when it looks for what was lost in one chat."""

    async def sweep(
        self,
        chat: ChatRef,
        *,
        after: Sequence[MessageRef],
        keep: Collection[MessageRef],
        before: Collection[MessageRef] = (),
    ) -> None:
        """Find what was lost in other chats."""
        if chat == CHAT:
            raise KeyError("ts")
        await super().sweep(chat, after=after, keep=keep, before=before)


@pytest.mark.parametrize("what", ["a search that is not readable", "a mistake of ours"])
async def test_in_other_chats_it_is_looked_for_what_was_lost_in_spite_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(searches, "FIRST", 0.01)
    platform, other = Mistaken(clock=SystemClock()), ChatRef("fake", ChatId("other"))
    storage = StorageSettings(url=f"sqlite:///{tmp_path}/house.db")
    async with open_store(storage) as stores:
        for chat in (CHAT, other):
            event = platform.message("hello", chat=chat)
            accepted = await stores.turns.accept(event, urgent=False, begin=True)
            lost = await platform.send(chat, Reply(text="lost"))
            answer = await platform.send(chat, Reply(text="an answer"))
            search = Search(chat=chat, after=(event.ref,), keep=(), before=(answer,))
            await stores.turns.put_off(accepted.turn_id, search)
            await stores.turns.finish(accepted.turn_id, Outcome(), stood=lost)
    if what == "a search that is not readable":
        with closing(sqlite3.connect(tmp_path / "house.db")) as file, file:
            file.execute("UPDATE turns SET unswept = '{' WHERE chat = ?", (CHAT.id,))
    async with open_house(tmp_path, platform=platform) as house:
        await until(lambda: platform.kept(other) == ["an answer"])
        house.api.script.answer("another")
        assert await house.say("second") == ["lost", "an answer", "another"]


async def test_what_is_said_while_a_chat_is_looked_through_is_not_taken_for_lost(
    tmp_path: Path,
) -> None:
    platform = SlowlySearched(QUICK, clock=SystemClock())
    async with open_house(tmp_path, platform=platform) as house:
        house.api.faults.add(Hang(), on="/chat/completions")
        await house.write("first")
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
    async with open_house(tmp_path, platform=platform) as house:
        house.api.script.answer("an answer")
        await until(lambda: platform.searches)
        await house.say("/help")
        await house.sees("an answer")
        assert len(platform.kept()) == 2


async def test_what_a_group_was_told_during_an_answer_stands_when_the_bot_has_been_restarted(
    tmp_path: Path,
) -> None:
    platform = FakePlatform(QUICK, clock=SystemClock())

    async def press(house: House, label: str) -> None:
        (found,) = [each for each in platform.buttons() if label in each]
        await house.happen(replace(platform.press(found), group=True))

    async with open_house(tmp_path, platform=platform) as house:
        await house.tell(platform.message("/settings", group=True))
        house.api.faults.add(Hang(), on="/chat/completions")
        await house.write("first", group=True)
        await house.api.traffic.until(lambda seen: seen.in_flight == 1)
        await press(house, "What others say here")
        await house.sees("When I listen along")
        await press(house, "I listen along")
        await house.sees("👂 From now on I listen along here")
    async with open_house(tmp_path, platform=platform) as house:
        house.api.script.answer("an answer")
        await house.sees("an answer")
        await house.answered()
        assert any("👂 From now on I listen along here" in text for text in platform.kept())


async def test_what_an_outage_left_is_found_though_a_command_was_cut_off_with_the_answer(
    tmp_path: Path,
) -> None:
    platform, clock = FakePlatform(clock=SystemClock()), ManualClock()
    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/bot.db")) as stores:
        found = looking(platform, stores, clock)
        begun = []
        for text, urgent in (("hello", False), ("/help", True)):
            event = platform.message(text)
            accepted = await stores.turns.accept(event, urgent=urgent, begin=True)
            assert accepted.turn is not None
            await found.begin(accepted.turn)
            begun.append(accepted.turn)
        await platform.send(CHAT, Reply(text="posted, but nobody was told"))
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(found.tidy_again(turn, ()) for turn in begun))
        assert platform.kept() == []


async def test_for_a_command_that_another_bot_took_in_nothing_is_taken_for_lost(
    tmp_path: Path,
) -> None:
    platform = FakePlatform(clock=SystemClock())
    async with open_store(StorageSettings(url=f"sqlite:///{tmp_path}/bot.db")) as stores:
        found = looking(platform, stores, SystemClock())
        accepted = await stores.turns.accept(platform.message("/help"), urgent=True, begin=True)
        assert accepted.turn is not None
        await platform.send(CHAT, Reply(text="just written by that bot"))
        await found.tidy(accepted.turn, (), ours=False)
        assert platform.kept() == ["just written by that bot"]


async def test_an_answer_in_one_piece_whose_receipt_got_lost_does_not_stand_there_twice(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path, capabilities=WHOLE) as house:
        house.api.script.answer("an answer")
        house.platform.unknown_next(carried_out=True)
        assert await house.say("hello") == ["an answer"]
