"""Figures as people read them, in the languages the bot speaks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bot.formats import BabelFormats

NOON = datetime(2026, 11, 25, 18, 30, tzinfo=UTC)


def formats(tag: str) -> BabelFormats:
    return BabelFormats(tag, ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("tag", "number", "compact", "money", "moment", "span"),
    [
        ("en", "1,234,567", "1.2M", "$12.40", "Nov 26 02:30", "5 minutes"),
        ("en-GB", "1,234,567", "1.2m", "US$12.40", "26 Nov 02:30", "5 minutes"),
        ("zh-hans", "1,234,567", "123.5万", "US$12.40", "11月26日 02:30", "5 分钟"),
        ("zh_TW", "1,234,567", "123.5万", "US$12.40", "11月26日 02:30", "5 分钟"),
        ("de", "1,234,567", "1.2M", "$12.40", "Nov 26 02:30", "5 minutes"),
        ("en-nonsense-x", "1,234,567", "1.2M", "$12.40", "Nov 26 02:30", "5 minutes"),
        ("", "1,234,567", "1.2M", "$12.40", "Nov 26 02:30", "5 minutes"),
    ],
)
def test_figures_are_written_as_the_language_of_the_words_does(
    tag: str, number: str, compact: str, money: str, moment: str, span: str
) -> None:
    wanted = formats(tag)
    assert wanted.number(1234567) == number
    assert wanted.compact(1234567) == compact
    assert wanted.money(Decimal("12.4")) == money
    assert wanted.moment(NOON) == moment
    assert wanted.span(300) == span


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        ("0", "$0.00"),
        ("0.00001", "<$0.0001"),
        ("0.00234", "$0.0023"),
        ("0.05", "$0.05"),
        ("1234.5", "$1,234.50"),
    ],
)
def test_small_money_is_not_rounded_away(dollars: str, text: str) -> None:
    assert formats("en").money(Decimal(dollars)) == text


def test_days_and_shares() -> None:
    english, chinese = formats("en"), formats("zh")
    day = date(2026, 11, 5)
    assert (english.day(day), chinese.day(day)) == ("Nov 5", "11月5日")
    assert (english.short_day(day), chinese.short_day(day)) == ("11/5", "11/5")
    assert (english.month(day), chinese.month(day)) == ("November", "11月")
    assert (english.percent(0.8), chinese.percent(0.8)) == ("80%", "80%")
    assert (english.ago(3 * 86_400), chinese.ago(0)) == ("3 days ago", "1 秒钟前")
    assert english.compact(9_999) == "9,999"
    assert (english.seconds(1.44), chinese.seconds(0)) == ("1.4 sec", "0.0 秒")
