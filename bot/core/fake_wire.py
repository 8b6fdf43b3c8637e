"""The way between the bot and a chat in memory: calls are refused, fail and lose their answers."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from bot.core.ports import Clock
from bot.core.types import ChatRef
from bot.errors import ChatGone, OutcomeUnknown, PlatformError, RateLimited

T = TypeVar("T")


class FakeWire:
    """Carries calls to a chat, with all that can happen to them on their way.

    `refusals` counts the calls that were refused, `offences` those that were made although the
    platform had asked for a pause. While it is `strict`, two calls at once in one chat are an
    error: an answer must not overtake itself.
    """

    def __init__(self, clock: Clock) -> None:
        self.refusals = 0
        self.offences = 0
        self.strict = True
        self._clock = clock
        self._fates: deque[PlatformError | bool] = deque()  # a bool: lost, and carried out or not
        self._limit: tuple[int, float] | None = None
        self._calls: defaultdict[ChatRef, deque[float]] = defaultdict(deque)
        self._blocked_until: defaultdict[ChatRef, float] = defaultdict(float)
        self._gone: set[ChatRef] = set()
        self._busy: set[ChatRef] = set()

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

    async def carry_out(self, chat: ChatRef, change: Callable[[], T]) -> T:
        """Make a call: it takes its time, meets its fate, and changes what is to be seen."""
        while chat in self._busy and not self.strict:  # noqa: ASYNC110 - a view
            await asyncio.sleep(0)
        with self._one_at_a_time(chat):
            await asyncio.sleep(0)
            if chat in self._gone:
                raise ChatGone("the bot is not in this chat")
            self._check_limit(chat)
            self.offences += self._clock.monotonic() < self._blocked_until[chat]
            fate = self._fates.popleft() if self._fates else None
            if isinstance(fate, RateLimited):
                self._refuse(chat, fate.retry_after)
            if isinstance(fate, PlatformError):
                raise fate
            if fate is False:
                raise OutcomeUnknown("the connection broke")
            result = change()
            if fate is True:
                raise OutcomeUnknown("no answer came")
            return result

    @contextmanager
    def _one_at_a_time(self, chat: ChatRef) -> Iterator[None]:
        if chat in self._busy:
            raise ValueError("two calls at once in one chat: their order is not certain")
        self._busy.add(chat)
        try:
            yield
        finally:
            self._busy.remove(chat)

    def _check_limit(self, chat: ChatRef) -> None:
        if self._limit is None:
            return
        calls, seconds = self._limit
        now, recent = self._clock.monotonic(), self._calls[chat]
        while recent and recent[0] <= now - seconds:
            recent.popleft()
        if len(recent) >= calls:
            self._refuse(chat, recent[0] + seconds - now)
        recent.append(now)

    def _refuse(self, chat: ChatRef, seconds: float) -> NoReturn:
        self.refusals += 1
        self._blocked_until[chat] = self._clock.monotonic() + seconds
        raise RateLimited(seconds)
