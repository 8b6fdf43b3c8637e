"""What a document comes to, whatever kind it is; and when it is enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Contents:
    """Sections in their order, until `room` characters are reached.

    `pictures` are JPEG files; at most `scans` of them are made.
    """

    room: int
    scans: int = 0
    sections: list[tuple[str, str]] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    extent: str = ""
    left_out: str = ""

    @property
    def full(self) -> bool:
        """Whether there is no room for more."""
        return self.room <= 0

    def add(self, mark: str, text: str) -> None:
        """One more section; blank ones are left out, and what is too long is cut."""
        text = text.strip("\n")
        if not text.strip():
            return
        self.sections.append((mark, text[: self.room]))
        if len(text) > self.room:
            self.leave_out(f"the end of {mark}")
        self.room -= len(text)

    def parts(
        self, unit: str, things: Sequence[T], size: int = 1
    ) -> Iterator[tuple[str, Sequence[T]]]:
        """All that there is, `size` things at a time, each time with its mark, while there is room.

        What there is no room for is left out.
        """
        self.extent = amount(len(things), unit)
        for start in range(0, len(things), size):
            if self.full:
                self.leave_out(span(unit, start + 1, len(things)))
                return
            part = things[start : start + size]
            yield span(unit, start + 1, start + len(part)), part

    def leave_out(self, what: str) -> None:
        """Something is not read."""
        self.left_out = f"{self.left_out}; {what}" if self.left_out else what


def span(unit: str, first: int, last: int) -> str:
    """`page 3`, or `pages 3–5`."""
    return f"{unit} {first}" if first == last else f"{unit}s {first}–{last}"


def amount(number: int, unit: str) -> str:
    """`1 page`, `12 pages`."""
    return f"{number:,} {unit}" + ("" if number == 1 else "s")
