"""The log of calls the bot made, for questions of pace: what, where, when, how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `at` is when it came, by the sandbox's clock; `status` is 0 without an answer."""

    at: float
    method: str
    chat: int | None
    status: int
    description: str = ""


class CallLog:
    """Every call in the order in which they were answered."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self.statuses: Counter[int] = Counter()

    def add(self, call: Call) -> None:
        """Remember a call."""
        self._calls.append(call)
        self.statuses[call.status] += 1

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls)

    def __len__(self) -> int:
        return len(self._calls)

    @property
    def refused(self) -> int:
        """How many calls were answered 429."""
        return self.statuses[429]

    def of(self, *methods: str, chat: int | None = None) -> list[Call]:
        """The calls of these methods (all, when none is named), in one chat or in all."""
        names = {method.lower() for method in methods}
        return [
            call
            for call in self._calls
            if (not names or call.method.lower() in names) and chat in (None, call.chat)
        ]

    def clear(self) -> None:
        """Forget all calls."""
        self._calls.clear()
        self.statuses.clear()
