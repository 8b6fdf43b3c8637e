"""How often Slack may be called: one budget per channel and one per method.

Slack counts per method, per workspace and app, in tiers (docs.slack.dev, "Rate limits"): tier 2
20 calls a minute, tier 3 50, tier 4 100; posting takes about one message a second per channel.
Past them it answers 429, and more calls make it worse: while a budget is blocked nothing is sent
on it. A refused post blocks its channel, any other refusal its method, and nobody else.

Final texts wait for their turn, however long that takes. Previews and the status line do not: they
are told when to come back, and come back with newer text.

Of what is posted or changed in one chat, one call is under way: what is said beside an answer does
not overtake it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from enum import IntEnum
from typing import TypeVar
from weakref import WeakSet, WeakValueDictionary

from bot.core.ports import Clock
from bot.errors import RateLimited

T = TypeVar("T")

MINUTE = 60.0
PER_MINUTE = {
    "chat.startStream": 20,
    "chat.stopStream": 20,
    "chat.update": 50,
    "chat.delete": 50,
    "agents.sessions.setStatus": 50,
    "conversations.history": 50,
    "conversations.replies": 50,
    "chat.appendStream": 100,
    "assistant.threads.setSuggestedPrompts": 100,
    "chat.postEphemeral": 100,
    "users.info": 100,
    "files.info": 100,
    "files.completeUploadExternal": 100,
}
"""Methods that are not here have a limit that this bot cannot reach."""
POST = "chat.postMessage"
POST_SECONDS = 1.0
BURST = 2
"""Posts that a channel takes at once; Slack allows short bursts without saying how short."""
PREVIEW_SHARE = 0.8
"""The part of a method's budget that previews may use; the rest is kept for the ends."""
CALM_SHARE = 0.5
"""Up to this part of their budget previews go out at once; beyond it they are spread."""
COME_BACK = 0.5
"""Seconds after which a preview asks again at the latest, so that the end of its answer, which may
use what is kept for ends, is not late. Only where Slack itself refused must all of it wait."""
CROWD = 2_000
"""Channels remembered before the idle ones are forgotten."""


class Urgency(IntEnum):
    """What a call is for; the smaller goes first."""

    FINAL = 0
    PREVIEW = 1
    TYPING = 2


class Window:
    """At most `count` calls in any minute, each counted from its end.

    `spread` says that previews are spread over the minute when there are many: they can be made
    later with newer text. A stream that is not begun now is not worth waiting for.
    """

    def __init__(self, count: int, *, spread: bool = True) -> None:
        self._count = count
        self._spreads = spread
        self._under_way = 0
        self._ended: deque[float] = deque()
        self.waiting = 0
        self.blocked_until = 0.0
        self.promised: WeakSet[object] = WeakSet()

    @property
    def reserve(self) -> int:
        """Calls that are kept for the ends of answers."""
        return self._count - int(self._count * PREVIEW_SHARE)

    def wait(self, now: float, urgency: Urgency) -> float:
        """Seconds until such a call may be made."""
        while self._ended and self._ended[0] <= now - MINUTE:
            self._ended.popleft()
        blocked = max(0.0, self.blocked_until - now)
        if urgency is Urgency.FINAL:
            return max(blocked, self._until_free(now, self._count))
        if self.waiting:
            return max(blocked, MINUTE / self._count)
        count = self._count - self.reserve
        return max(blocked, self._until_free(now, count), self._spread(now, count))

    def begin(self) -> None:
        """A call leaves."""
        self._under_way += 1

    def end(self, now: float) -> None:
        """It was answered, or failed."""
        self._under_way -= 1
        self._ended.append(now)

    def _until_free(self, now: float, count: int) -> float:
        over = self._under_way + len(self._ended) - count
        if over < 0:
            return 0.0
        return (self._ended[over] if over < len(self._ended) else now) + MINUTE - now

    def _spread(self, now: float, count: int) -> float:
        used = self._under_way + len(self._ended)
        if not self._spreads or used < count * CALM_SHARE or not self._ended:
            return 0.0
        return self._ended[-1] + MINUTE / count - now


class Channel:
    """When the next post may go to a channel, and whether anything may."""

    def __init__(self) -> None:
        self.next_post = 0.0
        self.blocked_until = 0.0
        self.waiting = 0

    def wait(self, now: float, method: str, urgency: Urgency) -> float:
        """Seconds until such a call may be made."""
        blocked = max(0.0, self.blocked_until - now)
        if method != POST:
            return blocked
        crowded = POST_SECONDS if self.waiting and urgency is not Urgency.FINAL else 0.0
        return max(blocked, crowded, self.next_post - now - (BURST - 1) * POST_SECONDS)

    def posted(self, now: float) -> None:
        """A post went out."""
        self.next_post = max(self.next_post, now) + POST_SECONDS

    def idle(self, now: float) -> bool:
        """Nothing is known of it that still matters."""
        return not self.waiting and max(self.next_post, self.blocked_until) <= now


class Pace:
    """Lets calls through when the budgets allow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows = {
            method: Window(count, spread=method != "chat.startStream")
            for method, count in PER_MINUTE.items()
        }
        self._channels: dict[str, Channel] = {}
        self._under_way: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def wait(self, method: str, channel: str, urgency: Urgency) -> float:
        """Seconds until such a call may be made; 0: now."""
        now = self._clock.monotonic()
        window = self._windows.get(method)
        own = window.wait(now, urgency) if window else 0.0
        return max(own, self._channel(channel).wait(now, method, urgency), 0.0)

    def promise(self, method: str, answer: object) -> bool:
        """Keep a call for the end of an answer; False when no more can be kept.

        The promise ends with `redeem`, or when the answer is forgotten.
        """
        window = self._windows[method]
        if answer not in window.promised and len(window.promised) >= window.reserve:
            return False
        window.promised.add(answer)
        return True

    def redeem(self, method: str, answer: object) -> None:
        """The answer is at its end, or needs no such call any more."""
        self._windows[method].promised.discard(answer)

    async def call(
        self,
        method: str,
        channel: str,
        urgency: Urgency,
        make: Callable[[], Awaitable[T]],
        *,
        chat: str = "",
    ) -> T:
        """Make a call when it may be made; after the one that is under way in the same `chat`.

        A final text waits for its turn. Anything else raises `RateLimited` at once when it is not
        its turn. So does a call that Slack refuses; it may be made again at once, and then waits.
        """
        if not chat:
            await self._admit(method, channel, urgency)
            return await self._make(method, channel, make)
        under_way = self._under_way.setdefault(chat, asyncio.Lock())
        while True:
            await self._admit(method, channel, urgency)
            async with under_way:
                if self.wait(method, channel, urgency) <= 0:  # it may have been refused meanwhile
                    return await self._make(method, channel, make)

    async def _admit(self, method: str, channel: str, urgency: Urgency) -> None:
        if urgency is Urgency.FINAL:
            await self._turn(method, channel)
        elif (wait := self.wait(method, channel, urgency)) > 0:
            raise RateLimited(max(self._blocked(method, channel), min(wait, COME_BACK)))

    async def _make(self, method: str, channel: str, make: Callable[[], Awaitable[T]]) -> T:
        state, window = self._channel(channel), self._windows.get(method)
        if window:
            window.begin()
        if method == POST:
            state.posted(self._clock.monotonic())
        try:
            return await make()
        except RateLimited as limit:
            until = self._clock.monotonic() + limit.retry_after
            if method == POST or window is None:
                state.blocked_until = until
            else:
                window.blocked_until = until
            raise
        finally:
            if window:
                window.end(self._clock.monotonic())

    def _blocked(self, method: str, channel: str) -> float:
        """Seconds for which Slack wants no such call."""
        window = self._windows.get(method)
        until = max(window.blocked_until if window else 0.0, self._channel(channel).blocked_until)
        return until - self._clock.monotonic()

    async def _turn(self, method: str, channel: str) -> None:
        budgets = [b for b in (self._windows.get(method), self._channel(channel)) if b]
        for budget in budgets:
            budget.waiting += 1
        try:
            while (wait := self.wait(method, channel, Urgency.FINAL)) > 0:
                await self._clock.sleep(wait)
        finally:
            for budget in budgets:
                budget.waiting -= 1

    def _channel(self, channel: str) -> Channel:
        state = self._channels.get(channel)
        if state is None:
            if len(self._channels) >= CROWD:
                now = self._clock.monotonic()
                self._channels = {k: c for k, c in self._channels.items() if not c.idle(now)}
            state = self._channels[channel] = Channel()
        return state
