"""Whatever people do and however it ends, the books agree and nothing stays set aside."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.access import Access
from bot.core.limits.budget import Quotas
from bot.core.limits.quota import parse_limits
from bot.core.types import ChatId, ChatRef, Sender, UserId
from bot.errors import PlatformError
from bot.sandbox.openai.faults import Cut, Hang, Refuse
from bot.sandbox.openai.scripted import Answer
from tests.house import House, open_house

PEOPLE = [Sender(UserId(str(number)), f"P{number}") for number in (1, 2, 7)]
CHATS = [ChatRef("fake", ChatId(str(number))) for number in (1, 2)]
ACCESS = Access(open=True, admins=frozenset({"fake:7"}))
QUOTAS = Quotas(
    own=parse_limits(["daily_tokens=6000", "monthly_images=2"]),
    everybody=parse_limits(["daily_tokens=12000"]),
    admins_exempt=False,
)
COMMANDS = (
    "hello",
    "what is this?",
    "/new",
    "/image a cat",
    "/usage",
    "/stop",
    "/model gpt-4o",
    "/quota 1 daily_tokens 3000",
    "/quota 1 default",
    "/deny 2",
    "/allow 2",
    "/nonsense",
)


def books(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """The sums of the rows and the sums that are kept, by person and kind; what is set aside."""
    columns = "count(*), sum(prompt_tokens), sum(completion_tokens), sum(images), sum(cost)"
    kept = "sum(requests), sum(prompt_tokens), sum(completion_tokens), sum(images)"
    with closing(sqlite3.connect(folder / "house.db")) as database:
        return {
            "rows": database.execute(
                f"SELECT user_id, kind, {columns.replace(', sum(cost)', '')} FROM usage "
                "GROUP BY user_id, kind ORDER BY user_id, kind"
            ).fetchall(),
            "kept": database.execute(
                f"SELECT user_id, kind, {kept} FROM usage_totals WHERE period = '' "
                "AND platform != '' GROUP BY user_id, kind ORDER BY user_id, kind"
            ).fetchall(),
            "all rows": database.execute(
                f"SELECT {columns.replace(', sum(cost)', '')} FROM usage"
            ).fetchall(),
            "all kept": database.execute(
                f"SELECT {kept} FROM usage_totals WHERE period = '' AND platform = ''"
            ).fetchall(),
            "reserved": database.execute("SELECT * FROM reservations").fetchall(),
        }


async def something(house: House, chance: random.Random) -> None:
    """Somebody does something, and it may go wrong."""
    match chance.randrange(8):
        case 0:
            house.api.faults.add(Refuse(500), on="/chat/completions")
        case 1:
            house.api.faults.add(Cut(after=2), on="/chat/completions")
        case 2:
            house.platform.fail_next(PlatformError("bad gateway"))
        case _:
            tokens = chance.choice([50, 400, 1500])
            house.api.script.answer(
                Answer(text="Done.", prompt_tokens=tokens, completion_tokens=tokens)
            )
    chat, sender = chance.choice(CHATS), chance.choice(PEOPLE)
    await house.say(chance.choice(COMMANDS), chat=chat, sender=sender)


@pytest.mark.unwatched
@pytest.mark.parametrize("seed", range(4))
async def test_the_books_agree_and_nothing_stays_set_aside(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    platform = None
    for _ in range(2):  # the second process goes on where the first was stopped
        async with open_house(
            tmp_path, access=ACCESS, quotas=QUOTAS, platform=platform, list_prices=True
        ) as house:
            platform = house.platform
            for _ in range(15):
                await something(house, chance)
            house.api.faults.clear()
            house.api.faults.add(Hang(), on="/chat/completions")
            await house.happen(house.platform.message("never answered", chat=CHATS[0]))
    found = books(tmp_path)
    assert found["rows"] == found["kept"]
    assert found["all rows"] == found["all kept"]
    assert found["reserved"] == []
    assert found["rows"]
