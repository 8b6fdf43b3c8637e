"""How much may be used: what is measured, what a limit is, and what an operator writes for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import zip_longest
from typing import TypeAlias

from bot.core.limits.calendar import Period
from bot.core.models import UsageEntry
from bot.core.punctuation import narrow

MINUTE = 60
"""Seconds; audio is kept in seconds and limited in minutes."""


class Measure(StrEnum):
    """What can be limited."""

    TOKENS = "tokens"
    COST = "cost"  # US dollars
    IMAGES = "images"
    AUDIO = "audio_minutes"


Limits: TypeAlias = Mapping[tuple[Period, Measure], Decimal | None]
"""Limits by what they are about. None: none, where another table would set one."""


def name_of(period: Period, measure: Measure) -> str:
    """What an operator calls a limit: `daily_tokens`."""
    return f"{period}_{measure}"


NAMES: Mapping[str, tuple[Period, Measure]] = {
    name_of(period, measure): (period, measure)
    for period in (Period.DAY, Period.MONTH)
    for measure in Measure
}
"""Everything that can be limited, in the order in which it is listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """An amount of everything that can be limited. `cost` leaves out what has no known price."""

    tokens: int = 0
    cost: Decimal = Decimal(0)
    images: int = 0
    seconds: float = 0.0

    def of(self, measure: Measure) -> Decimal:
        """How much of one thing this is, in the unit of its limit."""
        match measure:
            case Measure.TOKENS:
                return Decimal(self.tokens)
            case Measure.COST:
                return self.cost
            case Measure.IMAGES:
                return Decimal(self.images)
            case Measure.AUDIO:
                return Decimal(str(self.seconds)) / MINUTE


def amount_of(entries: Sequence[UsageEntry]) -> Amount:
    """What these requests have used together."""
    return Amount(
        tokens=sum(each.prompt_tokens + each.completion_tokens for each in entries),
        cost=sum((each.cost or Decimal(0) for each in entries), Decimal(0)),
        images=sum(each.images for each in entries),
        seconds=sum(each.seconds for each in entries),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """A limit as it holds for one request; `shared` is everybody's together."""

    period: Period
    measure: Measure
    limit: Decimal
    shared: bool = False


def ceilings(own: Limits, everybody: Limits) -> tuple[Ceiling, ...]:
    """The ceilings of somebody with these limits of their own."""
    return tuple(
        Ceiling(period=period, measure=measure, limit=limit, shared=shared)
        for limits, shared in ((own, False), (everybody, True))
        for (period, measure), limit in limits.items()
        if limit is not None
    )


class QuotaSyntaxError(ValueError):
    """What was written is no limit; the text is the wrong word, or the limit without a value."""


def parse_limits(words: Sequence[str]) -> dict[tuple[Period, Measure], Decimal | None]:
    """Read `daily_tokens 50000 monthly_cost=5 daily_images off`. Raises `QuotaSyntaxError`."""
    parts = narrow(" ".join(words)).replace("=", " ").split()
    found: dict[tuple[Period, Measure], Decimal | None] = {}
    for name, value in zip_longest(parts[::2], parts[1::2], fillvalue=""):
        limit = NAMES.get(name.lower())
        if limit is None or not value or value.lower() in NAMES:
            raise QuotaSyntaxError(name)
        found[limit] = _value(value)
    return found


def _value(text: str) -> Decimal | None:
    if text.lower() in ("off", "none", "unlimited"):
        return None
    try:
        value = Decimal(text.lstrip("$").replace("_", ""))
    except InvalidOperation:
        raise QuotaSyntaxError(text) from None
    if not value.is_finite() or not 0 <= value <= 10**15:
        raise QuotaSyntaxError(text)
    return value
