"""How often Slack may be called: one budget per channel and one per method.

Slack counts per method, per workspace and app, in tiers (docs.slack.dev, "Rate limits"): tier 2
20 calls a minute, tier 3 50, tier 4 100; posting takes about one message a second per channel.
Past them it answers 429, and more calls make it worse: while a budget is blocked nothing is sent
on it. A refused post blocks its channel, any other refusal its method, and nobody else; a final
text that waits for its channel holds up nobody else's previews.

Final texts wait for their turn, however long that takes. Previews and the status line do not: they
are told when to come back, and come back with newer text; who asked first goes first. What is
posted before it is whole needs an edit at its end, which is promised to it: so first texts go
before previews, and no end waits for a minute.

Of what is posted or changed in one chat, one call is under way: what is said beside an answer does
not overtake it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from weakref import WeakValueDictionary

from bot.core.ports import Clock
from bot.errors import NotYourTurn, RateLimited
from bot.platforms.slack.budgets import POST, Channel, Urgency, Window

T = TypeVar("T")

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
UNLISTED = 600
"""What Slack takes of `assistant.threads.setStatus`; this bot reaches no limit of the others."""
AT_ONCE = frozenset({"chat.startStream", "users.info"})
"""What no answer needs at its end: all of these calls may be made as soon as they are wanted."""
COME_BACK = 2.0
"""Seconds after which a preview asks again at the latest: others may have ended meanwhile."""
GRACE = 1.0
"""Seconds that its place is kept for it after that."""
CROWD = 2_000
"""Channels remembered before the idle ones are forgotten."""


class Pacer:
    """Lets calls through when the budgets allow."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows = {
            method: Window(count, ends=method not in AT_ONCE)
            for method, count in PER_MINUTE.items()
        }
        self._channels: dict[str, Channel] = {}
        self._under_way: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def wait(self, method: str, channel: str, urgency: Urgency, chat: str) -> float:
        """Seconds until such a call may be made; 0: now."""
        now = self._clock.monotonic()
        window = self._window(method)
        own = window.wait(now, urgency, chat) if window else 0.0
        return max(own, self._channel(channel).wait(now, method, urgency), 0.0)

    def promise(self, method: str, answer: object) -> None:
        """Keep a call for the end of an answer. Raises `NotYourTurn` when no more can be kept.

        The promise ends with `redeem`, or when the answer is forgotten.
        """
        wait = self._windows[method].promise(self._clock.monotonic(), answer)
        if wait > 0:
            raise NotYourTurn(min(wait, COME_BACK))

    def redeem(self, method: str, answer: object) -> None:
        """The answer is at its end, or needs no such call any more."""
        self._windows[method].redeem(answer)

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

        A final text waits for its turn. Anything else raises `NotYourTurn` at once when it is not
        its turn. A call that Slack refuses raises `RateLimited`; it may be made again at once, and
        then waits.
        """
        if not chat:
            await self._admit(method, channel, urgency, chat)
            return await self._make(method, channel, make)
        under_way = self._under_way.setdefault(chat, asyncio.Lock())
        while True:
            await self._admit(method, channel, urgency, chat)
            async with under_way:
                if self.wait(method, channel, urgency, chat) <= 0:  # it may have been refused
                    self._leave_line(method, chat, urgency)
                    return await self._make(method, channel, make)

    async def _admit(self, method: str, channel: str, urgency: Urgency, chat: str) -> None:
        if urgency is Urgency.FINAL:
            await self._turn(method, channel)
        elif (wait := self.wait(method, channel, urgency, chat)) > 0:
            if (blocked := self._blocked(method, channel)) > 0:
                raise RateLimited(blocked)
            wait = min(wait, COME_BACK)
            if chat and (window := self._window(method)):
                window.line.join(chat, self._clock.monotonic() + wait + GRACE)
            raise NotYourTurn(wait)

    def _leave_line(self, method: str, chat: str, urgency: Urgency) -> None:
        """It has its turn; after a final text, there is nothing else to come."""
        for name, window in self._windows.items():
            if name == method or urgency is Urgency.FINAL:
                window.line.leave(chat)

    async def _make(self, method: str, channel: str, make: Callable[[], Awaitable[T]]) -> T:
        state, window = self._channel(channel), self._window(method)
        if window:
            window.begin()
        if method == POST:
            state.posted(self._clock.monotonic())
        try:
            return await make()
        except RateLimited as limit:
            until = self._clock.monotonic() + limit.retry_after
            (window or state).blocked_until = until
            raise
        finally:
            if window:
                window.end(self._clock.monotonic())

    def _blocked(self, method: str, channel: str) -> float:
        """Seconds for which Slack wants no such call."""
        window = self._window(method)
        until = max(window.blocked_until if window else 0.0, self._channel(channel).blocked_until)
        return until - self._clock.monotonic()

    async def _turn(self, method: str, channel: str) -> None:
        """Wait for each budget as long as it needs, and stand in no other's way meanwhile."""
        while waits := self._waits(method, channel):
            for budget, _ in waits:
                budget.waiting += 1
            try:
                await self._clock.sleep(min(wait for _, wait in waits))
            finally:
                for budget, _ in waits:
                    budget.waiting -= 1

    def _waits(self, method: str, channel: str) -> list[tuple[Window | Channel, float]]:
        """The budgets that a final text has to wait for, and how long."""
        now, final = self._clock.monotonic(), Urgency.FINAL
        window, state = self._window(method), self._channel(channel)
        waits: list[tuple[Window | Channel, float]] = [(state, state.wait(now, method, final))]
        if window:
            waits.append((window, window.wait(now, final, "")))
        return [(budget, wait) for budget, wait in waits if wait > 0]

    def _window(self, method: str) -> Window | None:
        """The budget of a method; posts have none but their channel's."""
        if method == POST:
            return None
        if method not in self._windows:
            self._windows[method] = Window(UNLISTED, ends=False)
        return self._windows[method]

    def _channel(self, channel: str) -> Channel:
        state = self._channels.get(channel)
        if state is None:
            if len(self._channels) >= CROWD:
                now = self._clock.monotonic()
                self._channels = {k: c for k, c in self._channels.items() if not c.idle(now)}
            state = self._channels[channel] = Channel()
        return state
