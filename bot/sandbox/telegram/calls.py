"""The log of calls the bot made, for questions of pace: what, where, when, how it went."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `at` is when it came, by the sandbox's clock; `status` is 0 without an answer."""

    at: float
    method: str
    chat: int | None
    status: int
    description: str = ""


class CallLog(list[Call]):
    """Every call in the order in which they were answered."""

    @property
    def refused(self) -> int:
        """How many calls were answered 429."""
        return sum(call.status == 429 for call in self)

    def of(self, *methods: str, chat: int | None = None) -> list[Call]:
        """The calls of these methods (all, when none is named), in one chat or in all."""
        names = {method.lower() for method in methods}
        return [
            call
            for call in self
            if (not names or call.method.lower() in names) and chat in (None, call.chat)
        ]
