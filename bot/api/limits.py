"""Keeps the requests within the key's limits: per minute, tokens per minute, and in flight.

Requests wait in lanes, one per chat, and the lanes take turns: a flood in one chat does not
starve another. The queue is bounded; what does not fit is told that the bot is busy.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.api.failures.errors import CallFailed
from bot.core.ports import Clock
from bot.errors import ModelErrorKind

MINUTE = 60.0
SHRINK_AGAIN = 2.0
"""Seconds in which refusals of requests that were sent together count as one."""


@dataclass(slots=True)
class Spent:
    """What one request took out of a window, and when."""

    at: float
    amount: int


class Window:
    """At most `limit` in any minute: a sliding log, so that no fixed minute is exceeded either."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._log: deque[Spent] = deque()
        self._total = 0

    def delay(self, now: float, amount: int) -> float:
        """Seconds until `amount` fits; an amount above the limit fits into an empty window."""
        self._forget(now)
        excess = self._total + min(amount, self._limit) - self._limit
        if excess <= 0:
            return 0.0
        for spent in self._log:
            excess -= spent.amount
            if excess <= 0:
                return spent.at + MINUTE - now
        return MINUTE

    def add(self, now: float, amount: int) -> Spent:
        """Take an amount out."""
        spent = Spent(now, amount)
        self._log.append(spent)
        self._total += amount
        return spent

    def correct(self, spent: Spent, amount: int) -> None:
        """The amount is known now."""
        if self._log and spent.at >= self._log[0].at:
            self._total += amount - spent.amount
            spent.amount = amount

    def _forget(self, now: float) -> None:
        while self._log and self._log[0].at <= now - MINUTE:
            self._total -= self._log.popleft().amount


@dataclass(slots=True, eq=False)
class Waiter:
    """A request that waits for its turn; `turn` is resolved with what it takes out."""

    tokens: int
    turn: asyncio.Future[Spent] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Slot:
    """The permission to have one request in flight."""

    def __init__(self, tokens: Window, spent: Spent) -> None:
        self._tokens = tokens
        self._spent = spent

    def correct(self, tokens: int) -> None:
        """Tell how many tokens the request really took."""
        self._tokens.correct(self._spent, tokens)


class Limits:
    """The gate before every request. `close` it at the end: it may have a timer running."""

    def __init__(
        self,
        *,
        clock: Clock,
        max_in_flight: int,
        requests_per_minute: int,
        tokens_per_minute: int,
        max_waiting: int,
    ) -> None:
        self._clock = clock
        self._max_in_flight = max_in_flight
        self._allowed = float(max_in_flight)
        self._steady = 1.0  # requests up to which `_allowed` grows fast; see `succeeded`
        self._requests = Window(requests_per_minute)
        self._tokens = Window(tokens_per_minute)
        self._max_waiting = max_waiting
        self._lanes: OrderedDict[str, deque[Waiter]] = OrderedDict()
        self._in_flight = 0
        self._shrunk_at = -SHRINK_AGAIN
        self._timer: asyncio.Task[None] | None = None

    @property
    def in_flight(self) -> int:
        """Requests that have their turn now."""
        return self._in_flight

    @property
    def waiting(self) -> int:
        """Requests that wait for their turn."""
        return sum(len(lane) for lane in self._lanes.values())

    @property
    def allowed(self) -> int:
        """Requests that may be in flight now; fewer than configured after refusals."""
        return max(1, int(self._allowed))

    @asynccontextmanager
    async def slot(self, lane: str, tokens: int) -> AsyncGenerator[Slot]:
        """Wait for a turn, and hold it inside the block. Raises `CallFailed` (BUSY)."""
        waiter = Waiter(tokens)
        self._lanes.setdefault(lane, deque()).append(waiter)
        self._admit()
        self._shed()
        try:
            spent = await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.cancelled():
                self._leave(lane, waiter)
            elif waiter.turn.exception() is None:  # the turn came in the same moment
                self._release()
            raise
        try:
            yield Slot(self._tokens, spent)
        finally:
            self._release()

    def refused(self) -> None:
        """The API said that it is too much: allow half of the requests that are in flight now.

        Few may have been in flight just then. So up to half of what was allowed before, the number
        soon grows again (as TCP's slow start does, RFC 5681, 3.1).
        """
        now = self._clock.monotonic()
        if now - self._shrunk_at >= SHRINK_AGAIN:
            self._shrunk_at = now
            self._steady = self._allowed / 2
            self._allowed = max(1.0, min(self._allowed, self._in_flight) / 2)

    def succeeded(self) -> None:
        """A request got through: allow one more; from `_steady` on, one more in a full round."""
        more = 1.0 if self._allowed < self._steady else 1 / self._allowed
        self._allowed = min(float(self._max_in_flight), self._allowed + more)
        self._admit()

    async def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.wait({self._timer})

    def _admit(self) -> None:
        """Give turns, lane by lane, as long as the limits allow."""
        now = self._clock.monotonic()
        while self._lanes and self._in_flight < self.allowed:
            lane, waiters = next(iter(self._lanes.items()))
            if waiters[0].turn.done():  # cancelled, and has not heard of it yet
                self._leave(lane, waiters[0])
                continue
            tokens = waiters[0].tokens
            delay = max(self._requests.delay(now, 1), self._tokens.delay(now, tokens))
            if delay > 0:
                self._admit_in(delay)
                return
            waiter = waiters.popleft()
            self._lanes.move_to_end(lane)
            if not waiters:
                del self._lanes[lane]
            self._requests.add(now, 1)
            self._in_flight += 1
            waiter.turn.set_result(self._tokens.add(now, tokens))

    def _admit_in(self, seconds: float) -> None:
        """Look again when the window has moved on."""
        if self._timer is not None and not self._timer.done():
            return

        async def wake() -> None:
            await self._clock.sleep(seconds)
            self._timer = None
            self._admit()

        self._timer = asyncio.create_task(wake())

    def _shed(self) -> None:
        """Past the bound, the newest request of the longest lane is turned away."""
        while self.waiting > self._max_waiting:
            longest = max(self._lanes, key=lambda lane: len(self._lanes[lane]))
            waiter = self._lanes[longest][-1]
            self._leave(longest, waiter)
            if not waiter.turn.done():
                waiter.turn.set_exception(
                    CallFailed(ModelErrorKind.BUSY, "too many requests wait already", sent=False)
                )

    def _leave(self, lane: str, waiter: Waiter) -> None:
        waiters = self._lanes.get(lane)
        if waiters is not None and waiter in waiters:
            waiters.remove(waiter)
            if not waiters:
                del self._lanes[lane]

    def _release(self) -> None:
        self._in_flight -= 1
        self._admit()
