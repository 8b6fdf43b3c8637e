"""Faults that a tester orders for the next calls of a method."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an error; `ratelimited` is HTTP 429 with `Retry-After`."""

    error: str
    retry_after: int = 1


@dataclass(frozen=True, slots=True)
class Break:
    """Answer with a bare HTTP status, as a proxy or a broken server does."""

    status: int


@dataclass(frozen=True, slots=True)
class Hang:
    """Do nothing, and answer only when it is let go."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Carry it out, and close the connection instead of answering."""


Fault = Refuse | Break | Hang | Drop
ANY = "*"


class Faults:
    """The faults that wait for their call, first ordered first served."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, Fault]] = deque()

    def order(self, fault: Fault, method: str = ANY, times: int = 1) -> None:
        """Let the next `times` calls of `method` (`*`: of any) fail."""
        self._waiting.extend([(method, fault)] * times)

    def take(self, method: str) -> Fault | None:
        """The fault that hits this call, if any."""
        for number, (wanted, fault) in enumerate(self._waiting):
            if wanted in {ANY, method}:
                del self._waiting[number]
                return fault
        return None

    def clear(self) -> None:
        """Forget what has not happened yet."""
        self._waiting.clear()
