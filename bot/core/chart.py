"""A chart as data: stacked bars, a bar for each day. Somebody outside draws it as a picture.

Its texts are digits and the names of models, so that it reads the same in every language.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from bot.core.formats import Formats
from bot.core.limits.ledger import DayTotal

SERIES = 5
"""Models with a colour of their own; the others share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One colour of the bars: its name, what it comes to in all, and its part of each day."""

    name: str
    total: str
    values: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`title` is the sum of all, `span` the first and the last day; `tick` writes an amount."""

    title: str
    span: str
    days: tuple[str, ...]
    series: tuple[Series, ...]
    tick: Callable[[Decimal], str]


ChartPainter: TypeAlias = Callable[[Chart], Awaitable[bytes]]
"""Draws a chart as PNG, not on the event loop."""


def chart_of(totals: Sequence[DayTotal], days: Sequence[date], formats: Formats) -> Chart | None:
    """The cost of these days by model, or their tokens where no price is known; None if nothing."""
    costly = any(total.cost for total in totals)

    def amount(total: DayTotal) -> Decimal:
        return total.cost if costly else Decimal(total.tokens)

    def write(value: Decimal) -> str:
        return formats.money(value) if costly else formats.compact(value)

    sums: dict[str, Decimal] = {}
    for total in totals:
        sums[total.model] = sums.get(total.model, Decimal(0)) + amount(total)
    ranked = sorted((name for name in sums if sums[name]), key=lambda name: (-sums[name], name))
    if not ranked:
        return None
    own = ranked if len(ranked) <= SERIES + 1 else ranked[:SERIES]
    groups = [(name, {name}) for name in own]
    if others := set(ranked) - set(own):
        groups.append((f"+{len(others)}", others))
    return Chart(
        title=write(sum(sums.values(), Decimal(0))) + ("" if costly else " tokens"),
        span=f"{formats.short_day(days[0])} – {formats.short_day(days[-1])}",
        days=tuple(formats.short_day(day) for day in days),
        series=tuple(
            Series(
                name=name,
                total=write(sum((sums[each] for each in members), Decimal(0))),
                values=tuple(
                    sum(
                        (amount(t) for t in totals if t.day == day and t.model in members),
                        Decimal(0),
                    )
                    for day in days
                ),
            )
            for name, members in groups
        ),
        tick=write,
    )
