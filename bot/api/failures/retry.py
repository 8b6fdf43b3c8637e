"""When to ask again, and when not."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite

FIRST_DELAY = 0.5
"""Seconds; doubled with each try (full jitter: AWS, "Exponential Backoff And Jitter")."""
LONGEST_DELAY = 20.0
_AMOUNT = r"\d+(?:\.\d+)?\s*(?:ms|milli|[hms])[a-z]*"
_IN_WORDS = re.compile(
    rf"(?:try again|retry|wait)\s+(?:in|after|for)?\s*((?:{_AMOUNT}\s*)+)", re.IGNORECASE
)
_UNITS = {"milli": 0.001, "ms": 0.001, "h": 3600.0, "m": 60.0, "s": 1.0}
ROOM = 4_000
"""Characters of an error in which its words about waiting are looked for."""


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that the server asks to wait, in any of the three forms; None when it does not.

    `retry-after-ms` is OpenAI's; seconds and HTTP date are RFC 9110, section 10.2.3.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if not value:
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            try:
                at = parsedate_to_datetime(value)
            except ValueError:
                continue
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            seconds = (at - (now or datetime.now(UTC))).total_seconds()
        if isfinite(seconds):
            return max(0.0, seconds)
    return None


def asked_in_words(message: str) -> float | None:
    """Seconds that an error's words ask to wait; None when they do not.

    "Please try again in 6m0s" (OpenAI), "retry after 26 seconds" (Azure), "retry in 34.07s"
    (Google).
    """
    found = _IN_WORDS.search(message[:ROOM])
    if found is None:
        return None
    amounts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|milli|[hms])", found[1].lower())
    seconds = sum(float(number) * _UNITS[unit] for number, unit in amounts)
    return seconds if isfinite(seconds) else None


def should_retry(headers: Mapping[str, str]) -> bool | None:
    """What the server says itself about trying again (`x-should-retry`); None when nothing."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").lower())


def backoff(attempt: int, asked: float | None, dice: random.Random) -> float:
    """Seconds before the try after number `attempt` (from 1).

    What the server asks for is a lower bound; a little is added so that not everybody who was
    sent away comes back in the same moment.
    """
    ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** (attempt - 1))
    if asked is not None:
        return asked + dice.uniform(0.02, 0.25) * min(1.0, max(asked, 0.1))
    return dice.uniform(0.0, ceiling)
