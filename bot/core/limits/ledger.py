"""What has been used, by whom, and what is set aside for requests under way: the port `Ledger`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from bot.core.limits.calendar import Period
from bot.core.limits.quota import Amount, Ceiling, Limits
from bot.core.models import UsageKind
from bot.core.types import Person

DAYS_SHOWN = 14
"""Days on the chart of what somebody used; of those before there is only the month's sum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a request may use: at `least` so much or it is not worth making, at `most` so much.

    `turn` is the turn that makes it: its end, however it comes, gives back what is set aside.
    Without one it is given back after `seconds`.
    """

    person: Person
    least: Amount
    most: Amount
    ceilings: Sequence[Ceiling]
    turn: int | None = None
    seconds: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far somebody is below a ceiling: what is `used`, and what is `reserved` beside it."""

    ceiling: Ceiling
    used: Decimal
    reserved: Decimal = Decimal(0)

    @property
    def left(self) -> Decimal:
        """What may still be asked for."""
        return max(Decimal(0), self.ceiling.limit - self.used - self.reserved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Set aside: `amount`, under the number `id`. `standings` are those before it."""

    id: int
    amount: Amount
    standings: Sequence[Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing is set aside: this ceiling is too low for the least that was wished."""

    standing: Standing
    least: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What requests of one kind to one model came to.

    `cost` sums up those whose price is known; `unpriced` counts the others.
    """

    kind: UsageKind
    model: str
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    images: int = 0
    seconds: float = 0.0
    cost: Decimal = Decimal(0)
    unpriced: int = 0

    @property
    def tokens(self) -> int:
        """What went in and what came out."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotal:
    """What one model came to on one day."""

    day: date
    model: str
    tokens: int
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Spender:
    """What somebody came to in a period."""

    person: Person
    name: str
    requests: int
    tokens: int
    cost: Decimal
    unpriced: int


class Ledger(Protocol):
    """What was used and what is set aside. Every method raises `StoreError`.

    What a turn has used is written down with its end (`Outcome.usage`), in one transaction with
    the release of what was set aside for it.
    """

    async def reserve(self, wish: Wish) -> Reserved | Refused:
        """Set something aside, so that requests at the same time cannot use it too."""

    async def release(self, reserved: int) -> None:
        """Give back what was set aside for work outside of a turn."""

    async def standings(self, person: Person, ceilings: Sequence[Ceiling]) -> Sequence[Standing]:
        """How far somebody is below these ceilings now."""

    async def first_time(self, person: Person, ceiling: Ceiling) -> bool:
        """Whether this is the first call for this person and ceiling in the running period."""

    async def set_limits(self, person: Person, limits: Limits) -> None:
        """Replace what was set for somebody; nothing at all puts them back to the defaults."""

    async def people_with_limits(self) -> Mapping[Person, Limits]:
        """What admins have set for single people, the latest first; they are few.

        What is missing follows the configuration.
        """

    async def totals(self, person: Person | None, period: Period) -> Sequence[Total]:
        """What somebody, or everybody together, has used in the running period."""

    async def days(self, person: Person | None, days: Collection[date]) -> Sequence[DayTotal]:
        """The same for each of these days, by model."""

    async def spenders(self, period: Period, *, limit: int) -> Sequence[Spender]:
        """Who has used most in the running period, most expensive first."""
