"""A bot that cannot reach the PostgreSQL it shares: what people see of it, and of another bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.chat import TextPart
from bot.core.clock import SystemClock
from bot.core.delivery.checkpoints import EVERY
from bot.core.fakes.platform import CHAT, FakePlatform, ManualClock
from bot.sandbox.openai.scripted import Answer
from bot.store import StorageSettings, open_store
from bot.store.database import connected
from bot.store.drivers.postgres import listening_engine
from bot.store.queue import lanes
from bot.store.queue.news import Listener, heard
from bot.store.schema import RUNNING, turns
from tests.house import QUICK, House, open_house
from tests.patience import until
from tests.store.events import begun, message
from tests.store.firewall import Firewall, firewall
from tests.store.postgres import Server
from tests.store.test_leases import present, queue
from tests.store.test_two_bots import kept, take_over
from tests.watch import Watch

# A SQLite file has one bot at a time.
pytestmark = pytest.mark.parametrize("settings", ["postgres"], indirect=True)

LEASE = 30.0
LONG = 1500
"""Words of an answer that takes three messages."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two bots in one chat; the first reaches the database through a wall, by its own watch."""

    one: House
    two: House
    wall: Firewall
    watch: Watch
    platform: FakePlatform
    settings: StorageSettings

    async def ask(self) -> None:
        """The first bot begins to answer, and has written that down."""
        await self.one.happen(self.platform.message("question"))
        await self.one.sees("first")
        async with connected(self.settings) as database:
            shown = sa.select(turns.c.id).where(turns.c.shown != "[]", sa.text(RUNNING))
            await until(lambda: database.scalar(shown))

    async def over(self) -> None:
        """The first bot has nothing more to do."""
        await self.one.answered()

    async def said(self) -> list[TextPart]:
        """What the history holds."""
        history = await self.two.services.stores.conversations.history(CHAT)
        return [part for kept in history.newest for part in kept.message.parts]  # type: ignore[misc]  # words only


@pytest.fixture
async def pair(settings: StorageSettings, postgres: Server, tmp_path: Path) -> AsyncGenerator[Pair]:
    platform, watch = FakePlatform(QUICK, clock=SystemClock()), Watch()
    async with firewall(postgres) as wall:
        behind = StorageSettings(url=wall.server.url("tables"), busy_timeout=1)
        async with (
            open_house(
                tmp_path, platform=platform, storage=behind, lease=LEASE, clock=watch
            ) as one,
            open_house(tmp_path, platform=platform, storage=settings, lease=LEASE) as two,
        ):
            yield Pair(
                one=one, two=two, wall=wall, watch=watch, platform=platform, settings=settings
            )


async def test_a_bot_that_is_cut_off_shows_nothing_more_once_another_may_answer(
    pair: Pair,
) -> None:
    one, two, platform = pair.one, pair.two, pair.platform
    one.api.script.answer("first " * LONG)
    two.api.script.answer("second " * 40)
    with ExitStack() as outage:
        with one.api.held():
            await pair.ask()
            outage.enter_context(pair.wall.cut())
            pair.watch.ahead = LEASE
            with two.api.held():
                await take_over(pair.settings, two)
                await two.sees("second")
                before = len(platform.frames)
        await kept(two)
    await pair.over()
    assert not [frame for frame in platform.frames[before:] if "first" in " ".join(frame)]
    assert platform.kept() == [("second " * 40).strip()]
    assert await pair.said() == [TextPart("question"), TextPart("second " * 40)]


async def test_an_answer_goes_on_where_it_was_when_the_database_is_back(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    one, two, platform = pair.one, pair.two, pair.platform
    one.api.script.answer("first " * 100 + "last")
    with ExitStack() as outage:
        with one.api.held():
            await pair.ask()
            outage.enter_context(pair.wall.cut())
            pair.watch.ahead = LEASE
            caplog.clear()
        for _ in range(2):  # it would have shown something between these
            await until(lambda: "checkpoint failed" in caplog.text)
            caplog.clear()
            pair.watch.ahead += EVERY
        assert "last" not in " ".join(platform.screen())
    await pair.over()
    assert platform.kept() == ["first " * 100 + "last"]
    assert two.api.traffic.to("/chat/completions") == []


async def test_nobody_notices_that_the_database_was_away_for_a_moment(pair: Pair) -> None:
    one, platform = pair.one, pair.platform
    one.api.script.answer("first " * 100 + "last")
    with ExitStack() as outage:
        with one.api.held():
            await pair.ask()
            outage.enter_context(pair.wall.cut())
        await one.sees("last")
    await pair.over()
    assert platform.kept() == ["first " * 100 + "last"]


async def test_an_answer_whose_end_could_not_be_written_down_stands_there_once(
    pair: Pair,
) -> None:
    """All of it was shown; who takes it over cannot know that, and writes it anew in its place.

    And so when it happens again in the same chat.
    """
    one, two, platform = pair.one, pair.two, pair.platform
    answers = list[str]()
    for number in "12":
        one.api.script.answer("first " * LONG + f"end {number}")
        two.api.script.answer(f"second {number}")
        answers.append(f"second {number}")
        with ExitStack() as outage:
            with one.api.held():
                await pair.ask()
                outage.enter_context(pair.wall.cut())
            await one.sees(f"end {number}")
            assert len(platform.kept()) > len(answers) + 1
            await take_over(pair.settings, two)
            await until(lambda: platform.kept() == answers)
            while len(await pair.said()) < 2 * len(answers):  # noqa: ASYNC110 - a view
                await asyncio.sleep(0.01)
        await pair.over()
        assert platform.kept() == answers
        assert (await pair.said())[-1] == TextPart(answers[-1])


async def test_what_a_command_says_is_said_by_one_of_the_bots(pair: Pair) -> None:
    one, two, platform = pair.one, pair.two, pair.platform
    platform.refuse_next(1.0)
    await one.happen(platform.message("/help"))
    await until(lambda: platform.refusals == 1)
    with pair.wall.cut():
        pair.watch.ahead = LEASE
        await take_over(pair.settings, two)
        await two.sees("/help")
    await pair.over()
    assert len(platform.kept()) == 1


async def test_stop_is_obeyed_with_the_next_words_although_nobody_was_told(pair: Pair) -> None:
    """The word about it may come before the bot knows that the turn is its own."""
    one, platform = pair.one, pair.platform
    one.api.script.answer(Answer(text="first " * 200, chunk=6, pace=0.02))
    await pair.ask()
    async with connected(pair.settings) as database:
        await database.write(lambda connection: lanes.stop(connection, CHAT, ()))
    pair.watch.ahead = EVERY
    await pair.over()
    assert platform.kept()[-1].endswith("⏹ Stopped.")


async def test_a_turn_is_surely_ours_for_a_part_of_its_lease(settings: StorageSettings) -> None:
    clock = ManualClock()
    async with connected(settings) as database:
        here = queue(database, "here", LEASE, clock)
        here.leases.seen()
        turn = await begun(here, message("1"))

        async def is_sure(*, after: float) -> bool:
            await clock.advance(after)
            return here.sure(turn.id)

        assert await is_sure(after=19)
        assert not await is_sure(after=2)
        await here.leases.renew()
        assert await is_sure(after=19)
        await here.checkpoint(turn.id, partial="", shown=())
        here.leases.unseen()  # others do not wait for the end of the lease now
        assert await is_sure(after=7)
        assert not await is_sure(after=1)
        here.leases.seen()
        assert not await is_sure(after=0)  # meanwhile it may have been taken
        await here.leases.renew()
        assert await is_sure(after=19)


async def test_a_bot_alone_that_nobody_sees_is_sure_of_its_turns_for_as_long(
    settings: StorageSettings,
) -> None:
    clock = ManualClock()
    async with connected(settings) as database, present(settings, "here"):
        here = queue(database, "here", LEASE, clock)
        turn = await begun(here, message("1"))
        await clock.advance(19)
        assert not here.sure(turn.id)  # it does not know yet
        await here.leases.look_round()
        assert here.sure(turn.id)
        async with present(settings, "there"):
            await here.leases.look_round()
            assert not here.sure(turn.id)
        await here.leases.look_round()
        assert here.sure(turn.id)
        here.leases.met()
        assert not here.sure(turn.id)


async def test_who_comes_is_heard_at_once(settings: StorageSettings) -> None:
    met = asyncio.Event()
    there = Listener(
        "there",
        seen=lambda: None,
        met=met.set,
        hear=lambda: None,
        stop=lambda *_: None,
        cut_off=lambda: None,
    )
    async with heard(listening_engine(settings), there):
        assert not met.is_set()
        async with asyncio.timeout(10), open_store(settings):
            await met.wait()
