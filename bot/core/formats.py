"""Numbers, money and time in words: the port `Formats`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, TypeAlias


class Formats(Protocol):
    """Numbers, money and time as people write them in one language."""

    def number(self, value: int | Decimal) -> str:
        """`1,234,567`."""

    def compact(self, value: int | Decimal) -> str:
        """`1.2M`; what is below ten thousand is written out."""

    def money(self, dollars: Decimal) -> str:
        """US dollars: `$12.40`, and what is less than a cent with four decimals."""

    def percent(self, share: float) -> str:
        """`80%`."""

    def day(self, day: date) -> str:
        """`Nov 25`."""

    def short_day(self, day: date) -> str:
        """`11/25`: where there is no room, in digits only."""

    def month(self, day: date) -> str:
        """`November`."""

    def moment(self, when: datetime) -> str:
        """`Nov 25 00:00`, in the operator's time zone."""

    def seconds(self, value: float) -> str:
        """`1.4 sec`: a short time, exactly."""

    def span(self, seconds: float) -> str:
        """`5 minutes`, `2 hours`: rounded, at least a second."""

    def ago(self, seconds: float) -> str:
        """`5 minutes ago`."""


FormatsOf: TypeAlias = Callable[[str], Formats]
"""The formats of a language, by its IETF tag."""
