"""The sampling parameters of the API as data: their ranges, and how what is typed becomes a value.

`n` is not among them: an answer that nobody sees would be paid for, and `/retry` gives another.
"""

from __future__ import annotations

import math
import re
import shlex
from dataclasses import dataclass, replace
from typing import Any

from bot.core.chat import Sampling
from bot.core.i18n import N_
from bot.core.punctuation import narrow

STOPS = 4
"""Stop sequences at most (OpenAI, "Create chat completion": `stop`)."""
STOP_LENGTH = 100
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+")
"""A whole number as `Parameter.range` writes it; else a comma begins the decimals."""
DEFAULT = frozenset({"default", "reset", "off", "默认"})
"""Words that leave a parameter to the model again."""


class OutOfRangeError(ValueError):
    """What was typed is no value of the parameter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A number that can be set. `presets` are offered as buttons; `summary` is a gettext msgid."""

    name: str
    summary: str
    low: float
    high: float
    whole: bool = False
    presets: tuple[float, ...] = ()

    @property
    def range(self) -> str:
        """The range, in words of any language."""
        return f"{self.low:,.0f} … {self.high:,.0f}"

    def parse(self, text: str) -> float | int:
        """The value that was typed. Raises `OutOfRangeError`."""
        text = narrow(text)
        grouped = self.whole and _GROUPED.fullmatch(text)
        try:
            value = float(text.replace(",", "" if grouped else "."))
        except ValueError:
            raise OutOfRangeError(text) from None
        if not math.isfinite(value) or not self.low <= value <= self.high:
            raise OutOfRangeError(text)
        if not self.whole:
            return value
        if value != int(value):
            raise OutOfRangeError(text)
        return int(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """The texts at which the model stops."""

    name: str = "stop"
    summary: str = N_("texts at which the answer ends")
    presets: tuple[float, ...] = ()

    @property
    def range(self) -> str:
        """How many, in words of any language."""
        return f"0 … {STOPS}"

    def parse(self, text: str) -> tuple[str, ...]:
        """The texts that were typed, quoted where they hold spaces. Raises `OutOfRangeError`."""
        try:
            found = tuple(shlex.split(text))
        except ValueError:  # a quote that is never closed
            found = (text,)
        if not 1 <= len(found) <= STOPS or not all(0 < len(each) <= STOP_LENGTH for each in found):
            raise OutOfRangeError(text)
        return found


PARAMETERS: tuple[Parameter | Stops, ...] = (
    Parameter(
        name="temperature",
        summary=N_("how freely words are chosen"),
        low=0,
        high=2,
        presets=(0, 0.3, 0.7, 1, 1.5),
    ),
    Parameter(
        name="top_p",
        summary=N_("only the likeliest words, up to this share"),
        low=0,
        high=1,
        presets=(0.1, 0.5, 0.9, 1),
    ),
    Parameter(
        name="max_tokens",
        summary=N_("the longest answer, in tokens"),
        low=1,
        high=1_000_000,
        whole=True,
        presets=(256, 1024, 4096, 16384),
    ),
    Parameter(
        name="presence_penalty",
        summary=N_("towards new subjects"),
        low=-2,
        high=2,
        presets=(-1, 0, 0.5, 1),
    ),
    Parameter(
        name="frequency_penalty",
        summary=N_("against repeating words"),
        low=-2,
        high=2,
        presets=(-1, 0, 0.5, 1),
    ),
    Stops(),
)
ALIASES = {"temp": "temperature", "max": "max_tokens", "topp": "top_p"}


def find(name: str) -> Parameter | Stops | None:
    """The parameter of this name, in any case, with or without underscore."""
    wanted = ALIASES.get(name.lower(), name.lower()).replace("-", "_")
    return next((each for each in PARAMETERS if each.name == wanted), None)


def value_of(sampling: Sampling, name: str) -> str:
    """The value that is set, as it would be typed; empty for none."""
    value = getattr(sampling, name)
    if isinstance(value, tuple):
        return " ".join(shlex.quote(each) for each in value)
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def with_value(sampling: Sampling, name: str, value: object) -> Sampling:
    """The parameters with one changed; None leaves it to the model."""
    field: dict[str, Any] = {name: () if name == "stop" and value is None else value}
    return replace(sampling, **field)
