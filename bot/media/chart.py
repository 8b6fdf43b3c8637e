"""Draws charts: stacked bars on a dark card, which reads well in light and in dark clients.

Made for a phone: at 400 points across, the smallest letters are 11 points high. Shapes are drawn
larger and scaled down, since Pillow draws them without smooth edges; letters come on top.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from decimal import Decimal
from math import ceil

from PIL import Image, ImageDraw, ImageFont

from bot.core.chart import Chart

WIDTH = 1200
PAD = 56
HEAD = 190
PLOT = 520
DATES = 84
ROW = 66
RIGHT, BOTTOM = WIDTH - PAD, HEAD + PLOT
"""Edges of what is plotted; where it begins on the left depends on the marks beside it."""
FINE = 2
"""How much larger shapes are drawn than shown."""

CARD = "#1b2430"
GRID = "#2f3b4b"
STRONG = "#f4f7fb"
PLAIN = "#c3cedd"
FAINT = "#8c9bb0"
COLOURS = ("#4c9aff", "#ffb454", "#34d399", "#f472b6", "#a78bfa", "#94a3b8")
"""Told apart by those who see colours differently, too: they differ in brightness as well."""

GAP = 0.3
"""The part of a day's width that its bar leaves free."""
WIDEST = 96
ROUND = 10.0
SEAM = 1.5
TICKS = 4


async def draw_chart(chart: Chart) -> bytes:
    """The chart as PNG."""
    return await asyncio.to_thread(_draw, chart)


def _draw(chart: Chart) -> bytes:
    height = HEAD + PLOT + DATES + ROW * len(chart.series) + PAD
    sums = [sum(day) for day in zip(*(one.values for one in chart.series), strict=True)]
    top, step = scale(max(map(Decimal, sums), default=Decimal(0)))
    ticks = [step * number for number in range(int(top / step) + 1)]
    axis = _font(34)
    left = PAD + max(axis.getlength(_mark(chart, tick)) for tick in ticks) + 24
    picture = _shapes(chart, left, height, top, ticks)
    draw = ImageDraw.Draw(picture)
    draw.text((PAD, PAD - 6), _plain(chart.title), STRONG, _font(84))
    draw.text((RIGHT, PAD + 34), _plain(chart.span), PLAIN, _font(38), anchor="ra")
    for tick in ticks:
        at = (left - 24, _y(tick, top))
        draw.text(at, _mark(chart, tick), FAINT, axis, anchor="rm")
    _dates(draw, chart, left)
    _legend(draw, chart)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def scale(most: Decimal) -> tuple[Decimal, Decimal]:
    """The top of the axis and the step between its marks: round numbers, few of them."""
    if most <= 0:
        return Decimal(1), Decimal(1)
    rough = most / TICKS
    power = Decimal(10) ** (rough.adjusted())
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return step * ceil(most / step), step


def _shapes(
    chart: Chart, left: float, height: int, top: Decimal, ticks: Sequence[Decimal]
) -> Image.Image:
    """Everything without letters."""
    large = Image.new("RGB", (WIDTH * FINE, height * FINE), CARD)
    draw = ImageDraw.Draw(large)
    for tick in ticks:
        y = _y(tick, top) * FINE
        draw.line((left * FINE, y, RIGHT * FINE, y), GRID, width=2 * FINE)
    width = (RIGHT - left) / len(chart.days)
    bar = min(width * (1 - GAP), WIDEST)
    for day in range(len(chart.days)):
        x = left + width * (day + 0.5) - bar / 2
        _bar(draw, [one.values[day] for one in chart.series], (x, x + bar), top)
    for number in range(len(chart.series)):
        middle = _row(number)
        box = (PAD, middle - 14, PAD + 28, middle + 14)
        draw.rounded_rectangle([side * FINE for side in box], 8 * FINE, COLOURS[number])
    return large.reduce(FINE)


def _bar(
    draw: ImageDraw.ImageDraw, values: Sequence[Decimal], sides: tuple[float, float], top: Decimal
) -> None:
    """One day: its colours from the bottom up with seams between them, and round at the top."""
    base = sum(values, Decimal(0))
    first = True
    for colour, value in reversed([*zip(COLOURS, values, strict=False)]):
        if not value:
            continue
        high, low = _y(base, top), _y(base - value, top)
        base -= value
        box = [sides[0], high if first else high + SEAM, sides[1], max(low, high + 2 * SEAM)]
        radius = min(ROUND, (box[3] - box[1]) / 2) if first else 0.0
        corners = (True, True, False, False)
        large = [side * FINE for side in box]
        draw.rounded_rectangle(large, radius * FINE, colour, corners=corners)
        first = False


def _dates(draw: ImageDraw.ImageDraw, chart: Chart, left: float) -> None:
    """Some of the days under their bars, always with the last one."""
    font = _font(34)
    width = (RIGHT - left) / len(chart.days)
    widest = max(font.getlength(_plain(day)) for day in chart.days)
    every = max(1, ceil((widest + 44) / width))
    for number in range(len(chart.days) - 1, -1, -every):
        x = min(left + width * (number + 0.5), RIGHT - widest / 2)
        last = number == len(chart.days) - 1
        at = (x, BOTTOM + 20)
        draw.text(at, _plain(chart.days[number]), PLAIN if last else FAINT, font, anchor="ma")


def _legend(draw: ImageDraw.ImageDraw, chart: Chart) -> None:
    font = _font(38)
    for number, one in enumerate(chart.series):
        middle = _row(number)
        total = _plain(one.total)
        room = WIDTH - 2 * PAD - 52 - font.getlength(total) - 32
        draw.text((PAD + 52, middle), _cut(_plain(one.name), font, room), PLAIN, font, anchor="lm")
        draw.text((RIGHT, middle), total, STRONG, font, anchor="rm")


def _cut(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"


def _row(number: int) -> float:
    """The middle of a row of the legend."""
    return BOTTOM + DATES + ROW * number + ROW / 2


def _y(value: Decimal, top: Decimal) -> float:
    return BOTTOM - float(value / top) * PLOT


def _mark(chart: Chart, tick: Decimal) -> str:
    return _plain(chart.tick(tick)) if tick else "0"


def _plain(text: str) -> str:
    """The text in letters that the font has."""
    text = text.replace("–", "-")
    return "".join(letter if letter <= "ÿ" or letter == "…" else "?" for letter in text)


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's wheels have FreeType
    return font
