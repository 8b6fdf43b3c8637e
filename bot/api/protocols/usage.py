"""What a request has used: as servers report it, and with its cost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from bot.core.chat import Usage
from bot.core.models import UsageEntry

Price: TypeAlias = Callable[[UsageEntry], Awaitable[UsageEntry]]
"""Fills in the cost of a request, where it is known."""

NOTHING_USED = Usage(prompt_tokens=0, completion_tokens=0)
ABSURD = 10**9
"""So many tokens no request takes: some gateways report nonsense that no database holds."""


def read_usage(usage: object) -> Usage | None:
    """The tokens that a usage report counts; None when it counts none, or what cannot be."""
    if not isinstance(usage, dict):
        return None
    prompt = _count(usage, "prompt_tokens", "input_tokens")
    completion = _count(usage, "completion_tokens", "output_tokens")
    if not 0 < prompt + completion < ABSURD:
        return None
    reasoning = detail_of(usage, "reasoning_tokens")
    cached = detail_of(usage, "cached_tokens")
    cached = cached or _count(usage, "cached_tokens", "prompt_cache_hit_tokens")
    beside = _count(usage, "total_tokens") - prompt - completion
    if prompt and beside > 0 and (beside == reasoning if reasoning else beside != cached):
        completion += beside  # xAI and Google count what was thought only in the total
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=min(completion, ABSURD),
        cached_tokens=cached,
        reasoning_tokens=reasoning,
    )


def _count(usage: Mapping[str, Any], *names: str) -> int:
    for name in names:
        value = usage.get(name)
        if isinstance(value, int | float) and value > 0:
            return int(min(value, ABSURD))  # one may be infinite
    return 0


def detail_of(usage: object, name: str, *, within: str = "") -> int:
    """A number of the details of a usage report: of those `within` the input, or of any."""
    for group, details in usage.items() if isinstance(usage, dict) else ():
        count = details.get(name) if isinstance(details, dict) and within in group else None
        if isinstance(count, int) and count < ABSURD:
            return int(count)
    return 0
