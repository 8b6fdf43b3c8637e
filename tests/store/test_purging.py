"""A database that stays small: what is old goes, and nobody is answered twice because of it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core.chat import NewMessage
from bot.core.clock import SystemClock
from bot.core.limits.calendar import UTC_CALENDAR, Calendar, Period
from bot.core.limits.ledger import DAYS_SHOWN
from bot.core.models import UsageEntry, UsageKind
from bot.core.queue import Outcome
from bot.core.stores import Stores
from bot.core.types import LATE, ButtonPress, ChatRef, Event, IncomingMessage, Person
from bot.core.upkeep import FIRST, LOOK_AFTER, Purged, keep_small
from bot.store import StorageSettings, open_store, usage_rows
from bot.store.database import connected
from bot.store.purging import AT_ONCE, Purging
from bot.store.schema import turns
from bot.store.schema import usage as entries
from bot.store.settings import Keeping
from tests.house import House, open_house
from tests.store.aging import age, count, grow
from tests.store.conftest import sqlite_settings
from tests.store.events import ANN, begun, chat, message, said
from tests.store.test_faults import locked
from tests.store.test_privacy import WORD, everything, exchange

DAY = timedelta(days=1)
MONTH = Keeping(events=30 * DAY)
CLOCK = SystemClock()
HERE = chat()
SHE = Person("test", ANN.id)


class Alarm(SystemClock):
    """A clock that wakes a sleeper when the test wants it."""

    def __init__(self) -> None:
        self._asleep = asyncio.Queue[tuple[float, asyncio.Event]]()
        self._wake: Callable[[], None] = lambda: None

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._asleep.put_nowait((seconds, woken))
        await woken.wait()

    async def goes_off(self) -> float:
        """Wake the sleeper, if anybody sleeps; returns how long they want to sleep next."""
        self._wake()
        async with asyncio.timeout(10):
            seconds, woken = await self._asleep.get()
        self._wake = woken.set
        return seconds

    async def goes_off_until(self, seconds: float) -> None:
        """The same until they want to sleep so long."""
        while await self.goes_off() != seconds:
            pass


async def purge(
    settings: StorageSettings, keeping: Keeping = MONTH, calendar: Calendar = UTC_CALENDAR
) -> Purged:
    """As a running bot does, beside it."""
    async with connected(settings) as database:
        return await Purging(database, keeping, calendar).purge(CLOCK, rest=0)


async def answer(
    stores: Stores,
    key: str,
    where: ChatRef = HERE,
    *messages: NewMessage,
) -> None:
    """Take in a message, and answer it."""
    turn = await begun(stores.turns, message(key, where.id))
    conversation = await stores.conversations.current(where)
    await stores.turns.finish(turn.id, Outcome(conversation=conversation, messages=messages))


# ---------------------------------------------------------------- by itself


async def test_a_running_bot_purges_a_while_after_its_start_and_then_once_a_day(
    settings: StorageSettings, stores: Stores
) -> None:
    alarm = Alarm()
    keeper = asyncio.create_task(keep_small(stores.upkeep, alarm))
    await answer(stores, "old")
    await age(settings, 31 * DAY)
    assert await alarm.goes_off() == FIRST
    await alarm.goes_off_until(LOOK_AFTER)
    assert await count(settings, turns) == 0
    await answer(stores, "old by now")
    await age(settings, 31 * DAY, turns)  # but it is the same day
    await alarm.goes_off_until(LOOK_AFTER)
    assert await count(settings, turns) == 1
    await age(settings, DAY)
    await alarm.goes_off_until(LOOK_AFTER)
    assert await count(settings, turns) == 0
    keeper.cancel()


async def test_an_outage_of_the_database_postpones_it(
    settings: StorageSettings, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_store(settings) as stores:
        alarm = Alarm()
        keeper = asyncio.create_task(keep_small(stores.upkeep, alarm))
        await answer(stores, "old")
        await age(settings, 31 * DAY)
        await alarm.goes_off()
        async with locked(settings):
            await alarm.goes_off_until(LOOK_AFTER)
        assert "not purged" in caplog.messages
        assert await count(settings, turns) == 1
        await age(settings, timedelta(hours=1))
        await alarm.goes_off_until(LOOK_AFTER)
        assert await count(settings, turns) == 0
        keeper.cancel()


async def test_who_leaves_in_the_middle_does_not_wait_and_it_is_gone_on_with(
    settings: StorageSettings,
) -> None:
    async with open_store(settings) as stores:
        await grow(settings, 3 * AT_ONCE)
        keeper = asyncio.create_task(keep_small(stores.upkeep, alarm := Alarm()))
        assert await alarm.goes_off() == FIRST
        assert await alarm.goes_off() < 60  # it rests after the first rows
        async with asyncio.timeout(5):
            keeper.cancel()
            await asyncio.wait([keeper])
    assert await count(settings, turns) == 2 * AT_ONCE
    async with open_store(settings) as stores:
        assert not await stores.upkeep.due()  # another bot might be at it
        await age(settings, timedelta(hours=1))
        assert await stores.upkeep.due()
        assert (await stores.upkeep.purge(CLOCK, rest=0)).turns == 2 * AT_ONCE
        await age(settings, timedelta(hours=1))
        assert not await stores.upkeep.due()


@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
async def test_one_of_two_bots_does_it_and_both_at_once_do_no_harm(
    settings: StorageSettings,
) -> None:
    await grow(settings, 10 * AT_ONCE)
    async with open_store(settings) as one, open_store(settings) as two:
        bots = (one.upkeep, two.upkeep)
        assert sorted(await asyncio.gather(*(each.due() for each in bots))) == [False, True]
        purged = await asyncio.gather(*(each.purge(CLOCK, rest=0) for each in bots))
    assert sum(each.turns for each in purged) == 10 * AT_ONCE


async def test_nothing_is_purged_by_itself_where_the_operator_wants_it_kept(
    settings: StorageSettings,
) -> None:
    for_ever = settings.model_copy(update={"keep_days": 0})
    async with open_store(for_ever) as stores:
        await answer(stores, "old")
        await age(settings, 3650 * DAY)
        assert not await stores.upkeep.due()
        assert await stores.upkeep.purge(CLOCK, rest=0) == Purged()
        assert await count(settings, turns) == 1


# ---------------------------------------------------------------- what goes, and what stays


async def test_usage_that_limits_and_the_forgotten_need_stays_and_so_do_all_sums(
    settings: StorageSettings,
) -> None:
    """Bought in January, February and, before somebody is forgotten, on two days of March."""
    days = ((1, 10), (2, 10), (3, 1), (3, 30))
    bought = [datetime(2026, *day, tzinfo=UTC) for day in days]
    now = bought[:1]
    calendar = Calendar(now=lambda: now[0])
    async with open_store(settings, calendar=calendar) as stores:
        for now[0] in bought:
            await spend(settings, calendar)
        before = await figures(stores, calendar)
        await set_times(settings, bought)
        assert (await purge(settings, Keeping(events=2 * DAY), calendar)).entries == 2
        assert await figures(stores, calendar) == before
        await stores.privacy.forget_person(SHE, by=100)
        now[0] = datetime(2026, 5, 1, tzinfo=UTC)
        assert (await purge(settings, Keeping(events=2 * DAY), calendar)).entries == 0
        await stores.privacy.tidy()
        assert (await purge(settings, Keeping(events=2 * DAY), calendar)).entries == 2
    left = await everything(settings)
    assert f"'{ANN.id}'" not in left


async def spend(settings: StorageSettings, calendar: Calendar) -> None:
    """Somebody uses something."""
    entry = UsageEntry(kind=UsageKind.CHAT, model="m", prompt_tokens=5, cost=Decimal(1))
    async with connected(settings) as database:
        await database.write(
            lambda connection: usage_rows.keep(connection, chat(), ANN.id, [entry], calendar)
        )


async def figures(stores: Stores, calendar: Calendar) -> list[object]:
    """All that is told of what was used."""
    ledger, days = stores.ledger, calendar.days(DAYS_SHOWN)
    return [
        *[await ledger.totals(who, period) for who in (None, SHE) for period in Period],
        *[await ledger.days(who, days) for who in (None, SHE)],
        *[await ledger.spenders(period, limit=10) for period in Period],
        await stores.statistics.timings(calendar.began()),
    ]


async def set_times(settings: StorageSettings, times: Sequence[datetime]) -> None:
    """Say when each entry of what was used was written."""
    async with connected(settings) as database:
        for number, time in enumerate(times, 1):
            this = sa.update(entries).where(entries.c.id == number)
            await database.change(this.values(created_at=time))


async def test_words_go_after_so_many_days_from_everywhere_and_younger_ones_stay(
    settings: StorageSettings,
) -> None:
    async with open_store(settings) as stores:
        await exchange(stores, chat("hers"), ANN, WORD, "1")
        talk = await stores.conversations.current(chat("hers"))
        await age(settings, 8 * DAY)
        await answer(stores, "2", chat("hers"), said("a trombone"))
        week = Keeping(events=None, messages=7 * DAY)
        purged = await purge(settings, week)
        assert (purged.turns, purged.messages, purged.files) == (1, 2, 1)
        left = await everything(settings)
        assert f"about {WORD}" not in left and f"they said {WORD}" not in left
        assert f"you said {WORD}" not in left and f"{WORD}{WORD}" not in left
        assert "trombone" in left and f"be a {WORD}" in left  # what was chosen is no message
        [kept] = await stores.conversations.page(talk)
        assert kept.message.text == "a trombone"
        assert await stores.archive.untitled(talk)
        await age(settings, 8 * DAY)
        assert (await purge(settings, week)).messages == 1
        assert await stores.archive.listed(chat("hers")) == []
    if (file := settings.sqlite_file) is not None:
        found = b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))
        assert b"you said xylo" not in found and b"trombone" not in found


async def test_what_is_deleted_makes_room_for_what_comes(tmp_path: Path) -> None:
    """The file of SQLite grows no further, and an operator sees how much of it is free."""
    settings = sqlite_settings(tmp_path)
    async with open_store(settings) as stores:
        await grow(settings, 2000)
        large = await stores.statistics.extent()
        await purge(settings)
        small = await stores.statistics.extent()
        await grow(settings, 2000)
        again = await stores.statistics.extent()
    assert (large.purged, large.free) == (None, 0)
    assert small.purged is not None and small.free > large.size / 2
    assert again.size <= large.size * 1.02


async def test_a_change_of_a_message_that_is_not_known_any_more_is_not_answered(
    settings: StorageSettings, stores: Stores
) -> None:
    await answer(stores, "1")
    await age(settings, 31 * DAY)
    await purge(settings)
    edit = replace(message("edit"), edited=True, late=True)
    for _ in range(2):
        assert not (await stores.turns.accept(edit, urgent=False)).fresh
    assert await stores.turns.claim() is None


async def test_a_button_that_is_gone_says_that_it_is_too_old(
    settings: StorageSettings, tmp_path: Path
) -> None:
    async with open_house(tmp_path, storage=settings) as house:
        answered = await house.say("hello")
        again = house.platform.press(house.platform.buttons()[-1])
        await age(settings, 31 * DAY)
        await purge(settings)
        assert await house.tell(again) == answered
        assert house.platform.notices[-1].startswith("This button is too old")


# ---------------------------------------------------------------- whatever happens


class Life:
    """What people do in a chat over weeks, and what the platform delivers again."""

    def __init__(self, house: House, settings: StorageSettings, dice: random.Random) -> None:
        self.house = house
        self.settings = settings
        self.dice = dice
        self.past: list[tuple[Event, timedelta]] = []
        """Events, and how long ago they were."""
        self.buttons: list[ButtonPress] = []

    async def happen(self, event: Event) -> list[str]:
        self.past.append((event, timedelta(0)))
        seen = await self.house.tell(event)
        for label in self.house.platform.buttons():
            self.buttons.append(self.house.platform.press(label))
        return seen

    async def ask(self) -> None:
        words = f"question {len(self.past)}"
        seen = await self.happen(self.house.platform.message(words))
        assert f"You said:** {words}" in "\n".join(seen)

    async def command(self) -> None:
        words = self.dice.choice(["/retry", "/undo", "/new", "/settings", "/chats", "/usage"])
        await self.happen(self.house.platform.message(words))

    async def press(self) -> None:
        if self.buttons:
            old = self.dice.choice(self.buttons)
            await self.happen(replace(old, key=f"press {len(self.past)}"))

    async def change(self) -> None:
        """Somebody changes a message; one of long ago is not answered for the first time again."""
        written = [each for each in self.past if isinstance(each[0], IncomingMessage)]
        if not written:
            return
        event, ago = self.dice.choice(written)
        assert isinstance(event, IncomingMessage)
        late = ago.total_seconds() > LATE
        edit = replace(event, key=f"edit {len(self.past)}", edited=True, late=late)
        before = self.house.platform.kept()
        after = await self.happen(edit)
        if late and not await self.house.services.stores.turns.knows("fake", event.key):
            assert after == before

    async def deliver_again(self) -> None:
        """For a day, a platform may repeat what it has delivered."""
        known = [event for event, ago in self.past if ago < DAY]
        before = self._done()
        for event in known:
            await self.house.tell(event)
        assert self._done() == before

    def _done(self) -> tuple[list[str], int]:
        """What stands in the chat, and how often the model was asked."""
        return self.house.platform.kept(), len(self.house.api.traffic.to("/chat/completions"))

    async def wait(self) -> None:
        passes = self.dice.choice([0.4, 0.4, 0.4, 0.6, 2, 31]) * DAY
        await age(self.settings, passes)
        self.past = [(event, ago + passes) for event, ago in self.past]

    async def purge(self) -> None:
        """The least that an operator may set, or more: what was used is told as before."""
        keeping = Keeping(
            events=self.dice.choice([1, 1, 30]) * DAY,
            messages=self.dice.choice([None, None, DAY, 7 * DAY]),
        )
        stores = self.house.services.stores
        before = await figures(stores, UTC_CALENDAR)
        await purge(self.settings, keeping)
        assert await figures(stores, UTC_CALENDAR) == before


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_purged_and_whenever_nobody_is_answered_twice_and_no_press_fails(
    settings: StorageSettings, tmp_path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    dice = random.Random(seed)
    async with open_house(tmp_path, storage=settings) as house:
        life = Life(house, settings, dice)
        deeds = (life.ask, life.command, life.press, life.change, life.deliver_again)
        for _ in range(40):
            await dice.choice((*deeds, life.wait, life.wait, life.purge, life.purge))()
            await life.deliver_again()
        assert "went wrong" not in "\n".join(house.platform.kept())
    assert [each.message for each in caplog.records if each.levelno >= logging.ERROR] == []
