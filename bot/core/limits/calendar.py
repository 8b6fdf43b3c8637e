"""Days and months as the operator's clock on the wall has them; limits and sums go by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum


class Period(StrEnum):
    """How long something is counted."""

    DAY = "daily"
    MONTH = "monthly"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The date in a time zone; `now` is passed in so that tests own it."""

    zone: tzinfo = UTC
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def today(self) -> date:
        """The day it is."""
        return self.now().astimezone(self.zone).date()

    def key(self, period: Period) -> str:
        """What the running period is called where sums are kept."""
        return key_of(period, self.today())

    def days(self, count: int) -> list[date]:
        """The last `count` days with today, oldest first."""
        today = self.today()
        return [today - timedelta(days=back) for back in reversed(range(count))]

    def began(self) -> datetime:
        """When today began."""
        return self._midnight(self.today())

    def month_began(self) -> datetime:
        """When the running month began."""
        return self._midnight(self.today().replace(day=1))

    def ends(self, period: Period) -> datetime:
        """When the running day or month is over."""
        today = self.today()
        if period is Period.DAY:
            return self._midnight(today + timedelta(days=1))
        return self._midnight((today.replace(day=1) + timedelta(days=32)).replace(day=1))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)


def key_of(period: Period, day: date) -> str:
    """`2026-11-25`, `2026-11`, or nothing for all time."""
    return {Period.DAY: f"{day:%Y-%m-%d}", Period.MONTH: f"{day:%Y-%m}", Period.ALL: ""}[period]


UTC_CALENDAR = Calendar()
"""Days of UTC, by the machine's clock."""
