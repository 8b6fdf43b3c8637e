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

PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
TIERS = {
    "auth.test": 0,  # 0: "special", hundreds a minute
    "apps.connections.open": 1,
    "chat.postMessage": 0,  # limited per channel, below
    "chat.update": 3,
    "chat.delete": 3,
    "chat.postEphemeral": 4,
    "chat.startStream": 2,
    "chat.appendStream": 4,
    "chat.stopStream": 2,
    "conversations.history": 3,
    "conversations.replies": 3,
    "users.info": 4,
    "files.info": 4,
    "files.getUploadURLExternal": 4,
    "files.completeUploadExternal": 4,
    "assistant.threads.setSuggestedPrompts": 4,
    "assistant.threads.setStatus": 0,  # 600 a minute
    "agents.sessions.setStatus": 3,
}
POSTING = frozenset({"chat.postMessage"})
BURST = 3
"""Posts that a channel takes at once before the rate of 1/s holds."""
SPECIAL_PER_MINUTE = 600


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
        key = f"{method}:{channel}" if method in POSTING else method
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
        if method in POSTING:
            due = max(self._posts.get(channel, 0.0), now)
            if due - now > BURST - 1:
                return due - now - (BURST - 1)
            self._posts[channel] = due + 1.0
            return 0.0
        tier = TIERS.get(method, 3)
        allowed = PER_MINUTE.get(tier, SPECIAL_PER_MINUTE)
        calls = self._calls[method]
        while calls and calls[0] <= now - 60:
            calls.popleft()
        if len(calls) >= allowed:
            return calls[0] + 60 - now
        calls.append(now)
        return 0.0
