"""The way between the bot and a chat in memory: calls are refused, fail and lose their answers."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NoReturn, TypeVar

from bot.core.ports import Clock
from bot.core.types import ChatRef
from bot.errors import ChatGone, NotYourTurn, OutcomeUnknown, PlatformError, RateLimited

T = TypeVar("T")


class FakeWire:
    """Carries calls to a chat, with all that can happen to them on their way.

    `refusals` counts the calls that were refused, `offences` those that were made although the
    platform had asked for a pause. Of several calls in one chat one is under way, and the others
    follow in their order. While it is `strict` they are an error instead: one answer alone must
    not make them. `calls` counts those that are under way or wait.
    """

    def __init__(self, clock: Clock) -> None:
        self.refusals = 0
        self.offences = 0
        self.calls = 0
        self.strict = True
        self._clock = clock
        self._fates: deque[PlatformError | bool] = deque()  # a bool: lost, and carried out or not
        self._untold: list[object] = []  # what came of calls whose answer was lost
        self._limit: tuple[int, float] | None = None
        self._made: defaultdict[ChatRef, deque[float]] = defaultdict(deque)
        self._blocked_until: defaultdict[ChatRef, float] = defaultdict(float)
        self._gone: set[ChatRef] = set()
        self._turns: defaultdict[ChatRef, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._through = asyncio.Event()
        self._through.set()

    def refuse_next(self, seconds: float) -> None:
        """The next call is refused; one made before `seconds` are over counts as an offence."""
        self._fates.append(RateLimited(seconds))

    def fail_next(self, error: PlatformError) -> None:
        """The next call is not carried out and raises `error`."""
        self._fates.append(error)

    def unknown_next(self, *, carried_out: bool) -> None:
        """The answer to the next call is lost."""
        self._fates.append(carried_out)

    def clear_fates(self) -> None:
        """What was to happen to calls happens no more."""
        self._fates.clear()

    def limit(self, calls: int, seconds: float) -> None:
        """Take no more than so many calls per chat in so many seconds."""
        self._limit = (calls, seconds)

    def leave(self, chat: ChatRef) -> None:
        """The bot is thrown out of the chat."""
        self._gone.add(chat)

    @contextmanager
    def held(self) -> Iterator[None]:
        """No call gets through while the block runs."""
        self._through.clear()
        try:
            yield
        finally:
            self._through.set()

    async def carry_out(self, chat: ChatRef, change: Callable[[], T]) -> T:
        """Make a call: it takes its time, meets its fate, and changes what is to be seen."""
        async with self._one_at_a_time(chat):
            await asyncio.sleep(0)
            await self._through.wait()
            if chat in self._gone:
                raise ChatGone("the bot is not in this chat")
            self._check_limit(chat)
            self.offences += self._clock.monotonic() < self._blocked_until[chat]
            fate = self._fates.popleft() if self._fates else None
            if isinstance(fate, RateLimited) and not isinstance(fate, NotYourTurn):
                self._refuse(chat, fate.retry_after)
            if isinstance(fate, PlatformError):
                raise fate
            if fate is False:
                raise OutcomeUnknown("the connection broke")
            result = change()
            if fate is True:
                self._untold.append(result)
                raise OutcomeUnknown("no answer came")
            return result

    @asynccontextmanager
    async def _one_at_a_time(self, chat: ChatRef) -> AsyncIterator[None]:
        turn = self._turns[chat]
        if self.strict and turn.locked():
            raise ValueError("two calls at once in one chat: their order is not certain")
        self.calls += 1
        try:
            async with turn:
                yield
        finally:
            self.calls -= 1

    def _check_limit(self, chat: ChatRef) -> None:
        if self._limit is None:
            return
        calls, seconds = self._limit
        now, recent = self._clock.monotonic(), self._made[chat]
        while recent and recent[0] <= now - seconds:
            recent.popleft()
        if len(recent) >= calls:
            self._refuse(chat, recent[0] + seconds - now)
        recent.append(now)

    def _refuse(self, chat: ChatRef, seconds: float) -> NoReturn:
        self.refusals += 1
        self._blocked_until[chat] = self._clock.monotonic() + seconds
        raise RateLimited(seconds)
