"""Charts as they are drawn, whatever the figures are."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageColor

from bot.core.chart import Chart
from bot.core.limits.ledger import DayTotal
from bot.media.chart import CARD, COLOURS, draw_chart, scale
from tests.core.test_chart import chart, total

BLUE, ORANGE = (ImageColor.getrgb(colour) for colour in COLOURS[:2])


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
