"""Charts: what stands on them, whatever the figures are."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from bot.core.chart import Chart, chart_of
from bot.core.limits.ledger import DayTotal
from bot.formats import BabelFormats
from bot.media.chart import CARD, COLOURS, draw_chart, scale

TODAY = date(2026, 11, 25)
FORMATS = BabelFormats("en", UTC)
BLUE, ORANGE = (ImageColor.getrgb(colour) for colour in COLOURS[:2])


def days(count: int) -> list[date]:
    return [TODAY - timedelta(days=back) for back in reversed(range(count))]


def total(back: int, cost: str, *, model: str = "gpt-4o", tokens: int = 100) -> DayTotal:
    day = TODAY - timedelta(days=back)
    return DayTotal(day=day, model=model, tokens=tokens, cost=Decimal(cost))


def chart(*totals: DayTotal, count: int = 14) -> Chart:
    found = chart_of(totals, days(count), FORMATS)
    assert found is not None
    return found


async def pixels(drawn: Chart) -> Image.Image:
    with Image.open(io.BytesIO(await draw_chart(drawn))) as picture:
        return picture.convert("RGB")


def column(picture: Image.Image, x: int) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    for y in range(190, 712):  # the plot
        pixel = picture.getpixel((x, y))
        assert isinstance(pixel, tuple)
        found.append(pixel)
    return found


# ---------------------------------------------------------------- what it says


def test_it_is_about_money_where_prices_are_known() -> None:
    found = chart(total(0, "1.5"), total(1, "0.25", model="o3"), total(1, "0", model="free"))
    assert (found.title, found.span) == ("$1.75", "11/12 – 11/25")
    assert [(one.name, one.total) for one in found.series] == [("gpt-4o", "$1.50"), ("o3", "$0.25")]
    assert found.series[1].values[-2:] == (Decimal("0.25"), Decimal(0))


def test_it_is_about_tokens_where_no_price_is() -> None:
    found = chart(total(0, "0", tokens=12_000), total(3, "0", model="o3", tokens=500))
    assert found.title == "12.5K tokens"
    assert [(one.name, one.total) for one in found.series] == [("gpt-4o", "12K"), ("o3", "500")]


def test_many_models_share_a_colour() -> None:
    found = chart(*(total(0, str(9 - n), model=f"m{n}") for n in range(8)))
    assert [one.name for one in found.series] == ["m0", "m1", "m2", "m3", "m4", "+3"]
    assert found.series[-1].total == "$9.00"


def test_without_anything_used_there_is_no_chart() -> None:
    assert chart_of([], days(14), FORMATS) is None
    assert chart_of([total(0, "0", tokens=0)], days(14), FORMATS) is None


@pytest.mark.parametrize(
    ("most", "top", "step"),
    [
        ("0.0041", "0.006", "0.002"),
        ("0.62", "0.8", "0.2"),
        ("1", "1", "0.5"),
        ("97", "100", "50"),
    ],
)
def test_the_axis_has_round_marks(most: str, top: str, step: str) -> None:
    assert scale(Decimal(most)) == (Decimal(top), Decimal(step))


@given(st.decimals(min_value="0.000001", max_value="1e9", places=6))
def test_the_axis_always_holds_the_highest_bar(most: Decimal) -> None:
    top, step = scale(most)
    assert most <= top
    assert 1 <= top / step <= 5


# ---------------------------------------------------------------- what is seen


async def test_bars_are_as_high_as_what_they_stand_for() -> None:
    picture = await pixels(chart(total(0, "1"), total(0, "0.5", model="o3"), total(13, "0.75")))
    last = column(picture, 1_105)
    first = column(picture, 220)
    assert last.count(BLUE) == pytest.approx(2 * last.count(ORANGE), abs=6)
    assert first.count(BLUE) == pytest.approx(last.count(BLUE) * 3 / 4, abs=6)
    assert ORANGE not in first


async def test_it_is_an_opaque_card_that_a_phone_can_show() -> None:
    png = await draw_chart(chart(*(total(0, "1", model=f"m{n}") for n in range(9)), count=30))
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.mode == "RGB"  # transparent parts would be black in one client
        assert picture.getpixel((2, 2)) == ImageColor.getrgb(CARD)
        assert picture.width == 1_200  # Telegram scales photos down beyond 1,280
        assert picture.height <= 1_280
    assert len(png) < 300_000


@pytest.mark.parametrize(
    "totals",
    [
        [total(0, "0.0000001")],
        [total(0, "123456789.99"), total(1, "0.01", model="x" * 300)],
        [total(0, "1", model="通义千问"), total(0, "1e-9", model="\u202eevil\n")],
    ],
)
async def test_strange_figures_and_names_are_drawn(totals: Sequence[DayTotal]) -> None:
    picture = await pixels(chart(*totals))
    assert BLUE in column(picture, 1_105)


async def test_drawing_leaves_the_event_loop_free() -> None:
    drawing = asyncio.create_task(draw_chart(chart(total(0, "1"))))
    turns = 0
    while not drawing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
