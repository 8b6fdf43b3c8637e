"""`/usage`: what was used, in words and figures, and the chart that comes with them."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from bot.api.settings import ModelSettings
from bot.core.access import Access
from bot.core.fakes.platform import ANN
from bot.core.limits.budget import Quotas
from bot.core.limits.calendar import Calendar
from bot.core.limits.quota import parse_limits
from bot.core.types import Sender, UserId
from bot.sandbox.openai.scripted import Answer
from tests.attached import recording
from tests.house import QUICK, House, open_house
from tests.sounds import beeps

BOSS = Sender(UserId("7"), "Boss")
WU = Sender(UserId("2"), "小吴", language="zh-hans")
ACCESS = Access(open=True, admins=frozenset({"fake:7"}))
PRICES = {"gpt-4o-mini": ModelSettings(input_price=Decimal(100), output_price=Decimal(100))}


def used(tokens: int) -> Answer:
    return Answer(text="Done.", prompt_tokens=tokens - 100, completion_tokens=100)


async def spend(house: House, *tokens: int, sender: Sender = ANN) -> None:
    for each in tokens:
        house.api.script.answer(used(each))
        await house.say("hello", sender=sender)


async def test_some_seconds_of_speech_are_not_nothing(house: House) -> None:
    voice = recording(house, beeps(1.0))
    await house.tell(house.platform.message("", attachments=(voice,)))
    text = (await house.say("/usage"))[-1]
    assert "- Today: 2 requests, " in text and ", <0.1 minutes of audio, " in text


async def test_it_tells_today_the_month_and_all_time_by_model(tmp_path: Path) -> None:
    now = [datetime(2026, 10, 31, 12, tzinfo=UTC)]
    calendar = Calendar(now=lambda: now[0])
    quotas = Quotas(own=parse_limits(["daily_tokens", "100000"]))
    async with open_house(
        tmp_path, prices=PRICES, calendar=calendar, quotas=quotas, access=ACCESS
    ) as house:
        await spend(house, 1_000)
        now[0] += timedelta(days=1)
        await spend(house, 2_000)
        now[0] += timedelta(days=1)
        await spend(house, 4_000, 5_000)
        await house.say("/image a cat")
        assert (await house.say("/usage"))[-1] == (
            "**What you have used**\n\n"
            "- Today: 3 requests, 10,058 tokens, 1 picture, $0.90 and 1 request of unknown price\n"
            "- November: 4 requests, 12,058 tokens, 1 picture, $1.10 and 1 request of unknown "
            "price\n"
            "- All time: 5 requests, 13,058 tokens, 1 picture, $1.20 and 1 request of unknown "
            "price\n\n"
            "**November by model**\n\n"
            "- `gpt-4o-mini`: 3 requests, 11,000 tokens, $1.10\n"
            "- `gpt-image-1` (drawing): 1 request, 1,058 tokens, 1 picture, price unknown\n\n"
            "**Limits**\n\n"
            "- 100,000 tokens a day: 10% used, starts afresh on Nov 3 00:00 (in 12 hours)"
        )
        [*_, chart] = house.platform.files()
        assert (chart.name, chart.mime) == ("usage.png", "image/png")


async def test_before_anything_was_used_there_is_a_sentence_and_no_chart(house: House) -> None:
    assert await house.say("/usage") == ["**What you have used**\n\nNothing yet."]
    assert house.platform.files() == []


async def test_it_is_told_in_chinese(tmp_path: Path) -> None:
    calendar = Calendar(now=lambda: datetime(2026, 11, 2, tzinfo=UTC))
    async with open_house(tmp_path, calendar=calendar, prices=PRICES) as house:
        await spend(house, 12_345, sender=WU)
        assert (await house.say("/usage", sender=WU))[-1] == (
            "**你的用量**\n\n"
            "- 今天：1 次请求，12,345 个 token，US$1.23\n"
            "- 11月：1 次请求，12,345 个 token，US$1.23\n"
            "- 累计：1 次请求，12,345 个 token，US$1.23\n\n"
            "**11月用量（按模型）**\n\n"
            "- `gpt-4o-mini`：1 次请求，12,345 个 token，US$1.23"
        )


async def test_admins_see_everybody_and_anybody(tmp_path: Path) -> None:
    async with open_house(tmp_path, prices=PRICES, access=ACCESS) as house:
        await spend(house, 1_000)
        await spend(house, 9_000, sender=WU)
        text = (await house.say("/usage all", sender=BOSS))[-1]
        assert text.startswith("**Used by everybody**\n\n- Today: 2 requests, 10,000 tokens, $1.00")
        assert text.endswith(
            "- 小吴 `fake:2`: 9,000 tokens, $0.90\n- Ann `fake:1`: 1,000 tokens, $0.10"
        )
        text = (await house.say("/usage 2", sender=BOSS))[-1]
        assert text.startswith("**Used by 小吴 `fake:2`**\n\n- Today: 1 request, 9,000 tokens")
        text = (await house.say("/usage a b", sender=BOSS))[-1]
        assert text == "Whose? Write `/usage ID`, or `/usage all` for everybody."


@pytest.mark.parametrize("words", ["/usage all", "/usage fake:2"])
async def test_nobody_else_sees_what_others_use(house: House, words: str) -> None:
    await spend(house, 1_000, sender=WU)
    assert (await house.say(words))[-1] == (
        "Only admins can see what others use. `/usage` shows your own."
    )


async def test_where_no_files_can_be_sent_there_are_the_words(tmp_path: Path) -> None:
    async with open_house(tmp_path, capabilities=replace(QUICK, max_file_out=0)) as house:
        await spend(house, 1_000)
        text = (await house.say("/usage"))[-1]
        assert "- Today: 1 request, 1,000 tokens, price unknown" in text
        assert house.platform.files() == [] and "file" not in text


async def test_the_chart_shows_the_days_that_were_used(tmp_path: Path) -> None:
    async with open_house(tmp_path, prices=PRICES) as house:
        await spend(house, 1_000)
        await house.say("/usage")
        [chart] = house.platform.files()
        with Image.open(io.BytesIO(chart.content)) as picture:
            blue = [
                x for x in range(picture.width) if picture.getpixel((x, 600)) == (0x4C, 0x9A, 0xFF)
            ]
        assert blue  # today's bar stands at the right, where the newest day is
        assert min(blue) > 1_000


async def test_what_others_use_is_on_nobodys_chart(tmp_path: Path) -> None:
    async with open_house(tmp_path, access=ACCESS) as house:
        await spend(house, 9_000, sender=WU)
        assert (await house.say("/usage"))[-1] == "**What you have used**\n\nNothing yet."
        assert house.platform.files() == []
