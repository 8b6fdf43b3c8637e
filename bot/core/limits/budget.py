"""Who may use how much: the limits of the configuration, of single people, and of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.core.cached_table import CachedTable
from bot.core.limits.calendar import Calendar
from bot.core.limits.ledger import Ledger, Refused, Reserved, Standing, Wish
from bot.core.limits.quota import Ceiling, Limits, ceilings
from bot.core.ports import Clock
from bot.core.types import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The limits of the configuration: `own` ones of each person, and `everybody`'s together."""

    own: Limits = field(default_factory=dict)
    everybody: Limits = field(default_factory=dict)
    admins_exempt: bool = True


class Budget:
    """Sets aside what requests will use, before they are made."""

    def __init__(self, ledger: Ledger, *, quotas: Quotas, calendar: Calendar, clock: Clock) -> None:
        self.calendar = calendar
        self._ledger = ledger
        self.quotas = quotas
        self._own = CachedTable("limits of people", ledger.people_with_limits, clock)

    async def ceilings(self, person: Person, *, admin: bool) -> Sequence[Ceiling]:
        """What holds for somebody; mostly from memory, and nothing when nothing is limited."""
        if admin and self.quotas.admins_exempt:
            return ()
        await self._own.refresh()
        own = {**self.quotas.own, **self._own.known.get(person, {})}
        return ceilings(own, self.quotas.everybody)

    async def reserve(self, wish: Wish) -> Reserved | Refused:
        """Set something aside. Raises `StoreError`."""
        if not wish.ceilings:
            return Reserved(id=0, amount=wish.most, standings=())
        return await self._ledger.reserve(wish)

    async def standings(self, person: Person, *, admin: bool) -> Sequence[Standing]:
        """How far somebody is below their ceilings now."""
        found = await self.ceilings(person, admin=admin)
        return await self._ledger.standings(person, found) if found else ()

    async def set_limits(self, person: Person, limits: Limits) -> None:
        """Give somebody limits of their own; an empty mapping takes them away."""
        await self._ledger.set_limits(person, limits)
        self._own.change(person, limits)
