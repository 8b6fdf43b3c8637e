"""How the bot is doing, counted by the database: the port `Statistics`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Who and what there is: people and chats in all, and people seen since a moment.

    `done` and `dead` turns ended since that moment; `waiting` and `running` ones are there now.
    """

    people: int
    people_since: int
    chats: int
    waiting: int
    running: int
    done: int
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long answers took, in seconds: to the end, and to the first token where it is known."""

    latency: float
    first_token: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How large the database is, and how much of that is free to be written again; in bytes.

    `purged` is when what is old was deleted last.
    """

    size: int
    free: int
    purged: datetime | None


class Statistics(Protocol):
    """Counts for `/stats`. Every method raises `StoreError`."""

    async def activity(self, since: datetime) -> Activity:
        """Count people, chats and turns."""

    async def timings(self, since: datetime, *, limit: int = 1000) -> Sequence[Timing]:
        """How long the latest answers took."""

    async def extent(self) -> Extent:
        """How large the database is."""


def percentile(values: Sequence[float], share: float) -> float | None:
    """The value that this share of the values does not exceed; None of none."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
