"""One call to Telegram: at its turn, again where that is safe, and with errors of the core."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from bot.core.lru import LruCache
from bot.core.ports import Clock
from bot.errors import OutcomeUnknown, PlatformDown, PlatformPasses, RateLimited
from bot.platforms.telegram.errors import translated
from bot.platforms.telegram.ids import Place
from bot.platforms.telegram.methods import ids_in
from bot.platforms.telegram.moves import GroupMoved, Moves
from bot.platforms.telegram.pace import Budget, Pacer, Urgency

T = TypeVar("T")

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between the tries of a call that may be made again."""

CHATS = 10_000
"""Chats of which the newest message is remembered."""

LONGEST_ASIDE = 60.0
"""Seconds that a call which belongs to no chat waits when Telegram asks for a pause."""


class Caller:
    """Makes calls. Raises `PlatformError` and its kinds."""

    def __init__(self, pacer: Pacer, clock: Clock) -> None:
        self.moves = Moves()
        self._newest: LruCache[int, int] = LruCache(CHATS)
        self._pacer = pacer
        self._clock = clock

    async def call(
        self,
        place: Place,
        urgency: Urgency,
        make: Callable[[], Awaitable[T]],
        *,
        calls: int = 1,
        twice: bool = False,
        budget: Budget = Budget.MESSAGE,
    ) -> T:
        """Make a call that counts `calls` times on the budget, when it is its turn.

        A final call that surely did not reach Telegram is made again; one with an unknown outcome
        only if it may be carried out `twice`. A 429 is waited out here only for what follows a part
        of the same reply: after a failure the core would post that part again.
        """
        pauses = iter(PAUSES if urgency.waits else ())
        while True:
            try:
                answer = await self._pacer.call(
                    place.chat, urgency, partial(_checked, make), calls=calls, budget=budget
                )
            except GroupMoved as moved:
                self.moves.note(place.chat, moved.now)
                raise
            except RateLimited:
                if urgency is not Urgency.FOLLOWING:
                    raise
            except (PlatformDown, OutcomeUnknown) as failure:
                pause = next(pauses, None)
                if pause is None or (isinstance(failure, OutcomeUnknown) and not twice):
                    raise
                await self._clock.sleep(pause)
            else:
                self._note(place.chat, answer)
                return answer

    def newest(self, chat: int) -> int | None:
        """The newest message that the bot has posted in a chat; None when it is not known."""
        return self._newest.get(chat)

    def _note(self, chat: int, answer: object) -> None:
        """Look which messages a call has posted, if any."""
        if ids := ids_in(answer):
            self._newest.put(chat, max(*ids, self._newest.get(chat) or 0))

    def ask(self, place: Place, urgency: Urgency, *, budget: Budget = Budget.MESSAGE) -> None:
        """Raise `NotYourTurn` or `RateLimited` when such a call may not be made now."""
        self._pacer.ask(place.chat, urgency, budget=budget)

    async def look(self, place: Place, make: Callable[[], Awaitable[T]]) -> T:
        """Make a call that asks something about a chat while another call is under way there."""
        return await self._pacer.look(place.chat, partial(_checked, make))

    async def aside(self, make: Callable[[], Awaitable[T]], *, about: Place | None = None) -> T:
        """Make a call that belongs to no chat, or takes no part in the conversation it is `about`.

        It must be one that may be carried out twice.
        """
        pauses = iter(PAUSES)
        while True:
            try:
                if about is None:
                    return await self._pacer.aside(partial(_checked, make))
                await self._while_blocked(about)
                return await self._pacer.look(about.chat, partial(_checked, make))
            except PlatformPasses as failure:
                pause = next(pauses, None)
                if pause is None or failure.retry_after > LONGEST_ASIDE:
                    raise
                await self._clock.sleep(max(pause, failure.retry_after))

    async def _while_blocked(self, place: Place) -> None:
        """Wait until a chat may be sent something again. Raises `RateLimited` when that is long."""
        while (seconds := self._pacer.blocked(place.chat)) > 0:
            if seconds > LONGEST_ASIDE:
                raise RateLimited(seconds)
            await self._clock.sleep(seconds)


async def _checked(make: Callable[[], Awaitable[T]]) -> T:
    with translated():
        return await make()
