"""Charts: what they say of the figures."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from decimal import Decimal

from bot.core.chart import Chart, chart_of
from bot.core.limits.ledger import DayTotal
from bot.formats import BabelFormats

TODAY = date(2026, 11, 25)
FORMATS = BabelFormats("en", UTC)


def days(count: int) -> list[date]:
    return [TODAY - timedelta(days=back) for back in reversed(range(count))]


def total(back: int, cost: str, *, model: str = "gpt-4o", tokens: int = 100) -> DayTotal:
    day = TODAY - timedelta(days=back)
    return DayTotal(day=day, model=model, tokens=tokens, cost=Decimal(cost))


def chart(*totals: DayTotal, count: int = 14) -> Chart:
    found = chart_of(totals, days(count), FORMATS)
    assert found is not None
    return found


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
