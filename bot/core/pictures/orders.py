"""What is to be drawn, and what was: as data that outlives the process, in a button or a note."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from bot.core.models import UsageEntry, UsageKind
from bot.core.pictures.sources import Source

_PLAIN = re.compile(r"\w[\w.-]*")
"""The value of an option that is understood without quotation marks."""
_FINE = frozenset({"high", "hd"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be drawn: by `prompt`, from other pictures, or as a `variation` of one."""

    prompt: str
    model: str
    n: int = 1
    size: str = ""
    quality: str = ""
    style: str = ""
    sources: tuple[Source, ...] = ()
    mask: bool = False
    """The last of the sources is a mask for the first."""
    variation: bool = False

    @property
    def options(self) -> str:
        """What stood behind the prompt, as it would be typed."""
        named = {"size": self.size, "quality": self.quality, "style": self.style}
        named = {"n": "" if self.n == 1 else str(self.n), **named}
        return " ".join(f"--{name} {_typed(value)}" for name, value in named.items() if value)

    @property
    def is_fine(self) -> bool:
        """Whether it takes more of a model than usual pictures do."""
        return self.quality in _FINE

    def to_json(self) -> str:
        """For a button, or a note."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Order:
        """What `to_json` wrote; unknown fields, of a later version, are left out."""
        found: dict[str, Any] = json.loads(text)
        known = {name: value for name, value in found.items() if name in cls.__slots__}
        known["sources"] = tuple(Source.of(source) for source in known.get("sources", ()))
        return cls(**known)


def _typed(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else f'"{value}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Pictures that are there and paid, but perhaps not delivered: the note of a turn."""

    order: Order
    caption: str
    usage: UsageEntry

    def to_json(self) -> str:
        """For the note."""
        usage = {
            **asdict(self.usage),
            "cost": None if self.usage.cost is None else str(self.usage.cost),
        }
        drawn = {"order": self.order.to_json(), "caption": self.caption, "usage": usage}
        return json.dumps(drawn, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Drawn:
        """What `to_json` wrote."""
        found = json.loads(text)
        usage: dict[str, Any] = found["usage"]
        cost = usage.pop("cost")
        entry = UsageEntry(
            **{**usage, "kind": UsageKind(usage["kind"])},
            cost=None if cost is None else Decimal(cost),
        )
        return cls(order=Order.from_json(found["order"]), caption=found["caption"], usage=entry)
