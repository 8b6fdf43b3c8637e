"""The port `bot.core.formats.Formats`: numbers, money and time as people write them.

Babel knows how. Words stay in the catalogues; here are only the figures that stand in them.
"""

from __future__ import annotations

import re
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime, format_skeleton, format_timedelta, get_month_names
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
)
from babel.units import format_unit

from bot.core.i18n import best_language

CENTS = Decimal("0.01")
SMALL = Decimal("0.0001")
COMPACT_FROM = 10_000
"""Below it a number is short enough to be written out."""
MINUTE = 60


class BabelFormats:
    """`Formats`. The figures follow the words: a German reads English ones in English."""

    def __init__(self, tag: str, zone: tzinfo) -> None:
        self._locale = _locale(tag)
        self._zone = zone

    def number(self, value: int | Decimal) -> str:
        """`1,234,567`."""
        return format_decimal(value, locale=self._locale)

    def compact(self, value: int | Decimal) -> str:
        """`1.2M`; what is below ten thousand is written out."""
        if -COMPACT_FROM < value < COMPACT_FROM:
            return self.number(value)
        return format_compact_decimal(value, locale=self._locale, fraction_digits=1)

    def money(self, dollars: Decimal) -> str:
        """US dollars: `$12.40`, and what is less than a cent with four decimals."""
        if 0 < abs(dollars) < SMALL:
            return "<" + self.money(SMALL)
        places = SMALL if 0 < abs(dollars) < CENTS else CENTS
        rounded = dollars.quantize(places)
        return format_currency(rounded, "USD", locale=self._locale, decimal_quantization=False)

    def percent(self, share: float) -> str:
        """`80%`."""
        return format_percent(share, locale=self._locale)

    def day(self, day: date) -> str:
        """`Nov 25`."""
        return format_skeleton("MMMd", day, locale=self._locale)

    def short_day(self, day: date) -> str:
        """`11/25`: where there is no room, in digits only."""
        return format_skeleton("Md", day, locale=self._locale)

    def month(self, day: date) -> str:
        """`November`, and in Chinese `11月`, as in dates."""
        width: Literal["abbreviated", "wide"] = (
            "abbreviated" if self._locale.language == "zh" else "wide"
        )
        return str(get_month_names(width, context="stand-alone", locale=self._locale)[day.month])

    def moment(self, when: datetime) -> str:
        """`Nov 25 00:00`, in the operator's time zone."""
        local = when.astimezone(self._zone)
        return f"{self.day(local)} {format_datetime(local, 'HH:mm', locale=self._locale)}"

    def seconds(self, value: float) -> str:
        """`1.4 sec`: a short time, exactly."""
        return _spaced(format_unit(value, "second", "short", format="#,##0.0", locale=self._locale))

    def span(self, seconds: float) -> str:
        """`5 minutes`, `2 hours`: rounded, at least a second."""
        whole = max(1, round(seconds))
        return _spaced(format_timedelta(whole, threshold=1.5, locale=self._locale))

    def ago(self, seconds: float) -> str:
        """`5 minutes ago`."""
        whole = max(1, round(seconds))
        ago = format_timedelta(-whole, threshold=1.5, add_direction=True, locale=self._locale)
        return _spaced(ago)


def _spaced(text: str) -> str:
    """The same with a space before a Chinese unit, as the catalogue has it: `5 分钟`."""
    return re.sub(r"(?<=\d)(?=[\u4e00-\u9fff])", " ", text)


@lru_cache(maxsize=64)
def _locale(tag: str) -> Locale:
    """`en-GB` writes dates its own way; Chinese figures are as simplified as the words."""
    primary = best_language(tag)
    if primary == "en" and tag[:2].lower() == "en":
        try:
            return Locale.parse(tag.replace("_", "-"), sep="-")
        except (ValueError, UnknownLocaleError):
            pass  # a tag such as `en-x`: its language is enough
    return Locale.parse(primary)
