"""Flood limits of Telegram, as far as they are known.

https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this: about one message
per second in a chat with short bursts, 20 per minute in a group, 30 per second for the bot. Edits
count as sends. Drafts and chat actions share a budget of their own: 20 calls in 5 s and 40 in 30 s
per chat (users' reports). The real numbers are undocumented and change; these are the ones that a
bot should be able to live with.
"""

from __future__ import annotations

import math
from collections import deque
from enum import Enum

from bot.core.ports import Clock
from bot.sandbox.limits import Mode
from bot.sandbox.telegram.errors import TooManyRequests


class Budget(Enum):
    """Which budget of a chat a call draws on."""

    MESSAGE = "message"
    PREVIEW = "preview"  # drafts and chat actions


_BURST = 3
_MESSAGES_PER_SECOND = 1.0
_GROUP = ((20, 60.0),)
_BOT = ((30, 1.0),)
_PREVIEW = ((20, 5.0), (40, 30.0))


class Limits:
    """Decides by the clock whether a call is let through."""

    def __init__(self, clock: Clock, mode: Mode = Mode.OFF) -> None:
        self.mode = mode
        self._clock = clock
        self._bot = _Window(_BOT)
        self._buckets: dict[int, _Bucket] = {}
        self._windows: dict[tuple[int, Budget], _Window] = {}
        self._blocks: dict[int, _Block] = {}

    def spend(self, chat: int, budget: Budget, count: int = 1) -> None:
        """Let `count` messages through, or raise `TooManyRequests`."""
        if self.mode is Mode.OFF:
            return
        now = self._clock.monotonic()
        self._refuse_while_blocked(chat, now)
        waits = {0: self._bot.wait(now), chat: self._chat_wait(chat, budget, now)}
        for scope, wait in waits.items():
            if wait > 0:
                seconds = math.ceil(wait)
                self._blocks[scope] = _Block(now + seconds, seconds)
                raise TooManyRequests(seconds)
        for _ in range(count):
            self._bot.add(now)
            self._window(chat, budget).add(now)
        if budget is Budget.MESSAGE:
            self._bucket(chat, now).take(count)

    def _refuse_while_blocked(self, chat: int, now: float) -> None:
        for scope in (0, chat):
            block = self._blocks.get(scope)
            if block is None:
                continue
            if block.until <= now:
                del self._blocks[scope]
                continue
            if self.mode is Mode.HARD:
                block.seconds *= 2
                block.until = now + block.seconds
            raise TooManyRequests(math.ceil(block.until - now))

    def _chat_wait(self, chat: int, budget: Budget, now: float) -> float:
        wait = self._window(chat, budget).wait(now)
        if budget is Budget.MESSAGE:
            wait = max(wait, self._bucket(chat, now).wait())
        return wait

    def _bucket(self, chat: int, now: float) -> _Bucket:
        bucket = self._buckets.setdefault(chat, _Bucket(now))
        bucket.fill(now)
        return bucket

    def _window(self, chat: int, budget: Budget) -> _Window:
        rules = _PREVIEW if budget is Budget.PREVIEW else _GROUP if chat < 0 else ()
        return self._windows.setdefault((chat, budget), _Window(rules))


class _Block:
    """No call passes before `until`; it was imposed for `seconds`."""

    def __init__(self, until: float, seconds: int) -> None:
        self.until = until
        self.seconds = seconds


class _Bucket:
    """One message per second, saved up to a burst; an album may take it below zero."""

    def __init__(self, now: float) -> None:
        self._tokens = float(_BURST)
        self._filled = now

    def fill(self, now: float) -> None:
        grown = self._tokens + (now - self._filled) * _MESSAGES_PER_SECOND
        self._tokens = min(float(_BURST), grown)
        self._filled = now

    def wait(self) -> float:
        """Seconds until a message may pass; a hair is forgiven, for clocks are not exact."""
        lacking = 1.0 - self._tokens
        return lacking / _MESSAGES_PER_SECOND if lacking > 1e-6 else 0.0

    def take(self, count: int) -> None:
        self._tokens -= count


class _Window:
    """At most so many calls within so many seconds, for each rule."""

    def __init__(self, rules: tuple[tuple[int, float], ...]) -> None:
        self._rules = rules
        self._longest = max((seconds for _, seconds in rules), default=0.0)
        self._times: deque[float] = deque()

    def add(self, now: float) -> None:
        if self._rules:
            self._times.append(now)

    def wait(self, now: float) -> float:
        """Seconds until another call may pass."""
        while self._times and self._times[0] <= now - self._longest:
            self._times.popleft()
        waits = [0.0]
        for count, seconds in self._rules:
            recent = [time for time in self._times if time > now - seconds]
            if len(recent) >= count:
                waits.append(recent[-count] + seconds - now)
        return max(waits)
