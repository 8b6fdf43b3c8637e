"""How often Slack lets an app call: tiers per method, and one post a second per channel.

Source: docs.slack.dev, "Rate limits": tier 1: 1+/min, 2: 20+, 3: 50+, 4: 100+; per method, per
workspace, per app; posting about 1/s per channel with short bursts. A refusal is HTTP 429 with
`Retry-After` in seconds.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque

from bot.core.ports import Clock
from bot.sandbox.limits import Mode

_TIER_1, _TIER_2, _TIER_3, _TIER_4, _SPECIAL = 1, 20, 50, 100, 600
PER_MINUTE = {
    "auth.test": _SPECIAL,
    "apps.connections.open": _TIER_1,
    "chat.postEphemeral": _TIER_4,
    "chat.startStream": _TIER_2,
    "chat.appendStream": _TIER_4,
    "chat.stopStream": _TIER_2,
    "users.info": _TIER_4,
    "files.info": _TIER_4,
    "files.getUploadURLExternal": _TIER_4,
    "files.completeUploadExternal": _TIER_4,
    "assistant.threads.setSuggestedPrompts": _TIER_4,
    "assistant.threads.setStatus": _SPECIAL,
}
"""Calls of a method; the others are of tier 3, but for the one that posts."""
POSTING = "chat.postMessage"
BURST = 3
"""Posts that a channel takes at once before the rate of 1/s holds."""


class Limits:
    """Counts calls and says how long to wait; `refused` counts the 429s given."""

    def __init__(self, clock: Clock) -> None:
        self.mode = Mode.OFF
        self.refused = 0
        self._clock = clock
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._posts: dict[str, float] = {}
        self._offences: dict[str, int] = defaultdict(int)
        self._banned: dict[str, float] = {}

    def wait(self, method: str, channel: str) -> int:
        """Seconds until this call would be taken; 0 when it is, and then it counts."""
        if self.mode is Mode.OFF:
            return 0
        now = self._clock.monotonic()
        key = f"{method}:{channel}" if method == POSTING else method
        short = max(self._banned.get(key, 0.0) - now, self._short_by(method, channel, now))
        if short <= 0:
            return 0
        wait = max(1, math.ceil(short))
        if self.mode is Mode.HARD:
            self._offences[key] += 1
            wait *= 2 ** min(self._offences[key], 8)
            self._banned[key] = now + wait
        self.refused += 1
        return wait

    def _short_by(self, method: str, channel: str, now: float) -> float:
        if method == POSTING:
            due = max(self._posts.get(channel, 0.0), now)
            if due - now > BURST - 1:
                return due - now - (BURST - 1)
            self._posts[channel] = due + 1.0
            return 0.0
        calls = self._calls[method]
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= PER_MINUTE.get(method, _TIER_3):
            return calls[0] + 60 - now
        calls.append(now)
        return 0.0
