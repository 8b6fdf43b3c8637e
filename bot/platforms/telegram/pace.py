"""How often Telegram may be called: one budget per chat and one for the bot.

Telegram names about one message per second per chat, 20 per minute in a group and 30 per second
for the bot (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this);
edits count like messages. Drafts have a budget of their own in each chat, which they share with
chat actions: 20 calls in 5 s and 40 in 30 s (users' reports; the number is not documented). Past
them it answers 429, and more calls make the wait longer, so nothing at all is sent to a chat while
it is blocked. A block of one chat never delays another one.

Final texts wait for their turn, however long that takes; after a 429 the core calls again. Previews
do not wait: they are told when to come back, and come back with newer text; until then they keep
their place in the queue. Final texts go first, then first texts, then the most outdated preview;
what may be left out goes only where none of these wants to. But a first text, of whose answer
nothing was seen yet, goes before the end of an answer of which something was seen not long before
the first text began to wait. Where final texts of one chat follow each other without a pause, such
as what many short commands say, each few seconds one of them lets a preview go first: an answer
that is being written must not seem to stand still.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, insort
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, IntEnum, auto
from itertools import count
from typing import TypeVar

from bot.core.ports import Clock
from bot.errors import NotYourTurn, RateLimited
from bot.platforms.telegram.budgets import BOT_CALLS, Bucket, Limit, Window

T = TypeVar("T")


class Urgency(IntEnum):
    """What a call is for; the smaller goes first."""

    FOLLOWING = 0  # as FINAL, for what follows a part of the same reply: a 429 is waited out
    FINAL = 1  # must get through: waits for its turn; after a 429 the core calls again
    FIRST = 2  # the first text of an answer
    PREVIEW = 3  # newer text of an answer that is on the screen
    SPARE = 4  # a line that may be left out: only where nobody else wants the budget
    TYPING = 5  # the same, and the bot's typing is seen for some seconds only

    @property
    def waits(self) -> bool:
        """Whether such a call waits for its turn; any other is told when to come back."""
        return self <= Urgency.FINAL

    @property
    def yields(self) -> bool:
        """Whether such a call is left out where anybody else wants the budget."""
        return self >= Urgency.SPARE


class Budget(Enum):
    """Which budget of its chat a call draws on. What is only typing draws on both."""

    MESSAGE = auto()  # whatever posts or changes a message
    DRAFT = auto()  # `sendMessageDraft`, `sendRichMessageDraft`


PRIVATE = Limit(burst=3, rate=1.0)
GROUP = Limit(burst=3, rate=17 / 60)
"""With the burst 20 in any minute, and never more than 3 at once."""

DRAFTS = Limit(burst=8, rate=32 / 30)
"""At most 13 in any 5 s and 40 in any 30 s, spread so that they never pause for long."""

GROUP_RESERVE = 1.0
"""Calls that first texts and previews in a group leave for the end of the answer: shown just before
it, they would hold it up by some seconds, and with it all who wait."""
TYPING_RESERVE = 1.0
BOT_RESERVE = 20
"""Calls of the bot that what yields leaves for all else."""
OVERTAKING = 10.0
"""Seconds that a final text may be asked for later than another one and still go before it."""
HEAD_START = 5.0
"""Seconds that a first text may begin to wait after something was seen of another answer, and still
go before the end of that."""
PATIENCE = 0.5
"""Seconds after which a preview may ask again: its answer may have ended meanwhile, and the final
text goes by other rules. A final text looks so often whether those before it are gone."""
STANDING_STILL = 5.0
"""Seconds after which a preview goes before final texts of its chat, once."""
MEMORY = 3.0
"""Seconds for which a preview that was told to come back keeps its place in the queue."""
CROWD = 2_000
"""Chats remembered before the idle ones are forgotten."""


class _Chat:
    """What is known of one chat."""

    def __init__(self, limit: Limit, now: float) -> None:
        self.bucket = Bucket(limit, now)
        self.drafts = Bucket(DRAFTS, now)
        self.blocked_until = 0.0
        self.shown_at = 0.0
        self.held_since = self.asked_at = float("-inf")  # of a preview, while final texts wait
        self.wanted_at = float("-inf")  # by a text that was told to come back
        self.order = asyncio.Lock()  # final texts in the order they came
        self.turn = asyncio.Lock()  # one call at a time
        self.waiting = 0

    def budgets(self, urgency: Urgency, budget: Budget) -> Sequence[Bucket]:
        """The budgets of the chat that such a call draws on."""
        if urgency is Urgency.TYPING and budget is Budget.MESSAGE:
            return (self.bucket, self.drafts)
        return (self.bucket,) if budget is Budget.MESSAGE else (self.drafts,)

    def hold(self, now: float) -> None:
        """A preview asks in vain, as final texts wait."""
        if self.asked_at < now - MEMORY:
            self.held_since = now
        self.asked_at = now

    def is_held_too_long(self, now: float) -> bool:
        """Whether a preview still asks, and has asked in vain for so long that it goes first."""
        return self.asked_at >= now - 2 * PATIENCE and self.held_since <= now - STANDING_STILL

    def idle(self, now: float) -> bool:
        """Nothing is known of it that still matters."""
        busy = self.turn.locked() or self.waiting or self.blocked_until > now
        return not busy and self.bucket.is_full(now) and self.drafts.is_full(now)


@dataclass(frozen=True, slots=True)
class _Wish:
    """The place in the queue of a preview that was told to come back."""

    rank: tuple[Urgency, float]
    until: float


class Pacer:
    """Lets calls through when the budgets allow. Chats are Telegram's own ids.

    Topics share the budget of their group, so the id is that of the group.
    """

    def __init__(self, clock: Clock, calls_per_second: int = BOT_CALLS) -> None:
        self._clock = clock
        self._bot = Window(calls_per_second)
        self._chats: dict[int, _Chat] = {}
        self._finals: list[tuple[float, int]] = []
        self._tickets = count()
        self._wishes: dict[int, _Wish] = {}

    async def call(
        self,
        chat: int,
        urgency: Urgency,
        make: Callable[[], Awaitable[T]],
        *,
        calls: int = 1,
        budget: Budget = Budget.MESSAGE,
    ) -> T:
        """Make a call that counts `calls` times on the budget, when it may be made.

        A final text waits for its turn, and for the end of a block. Anything else raises
        `NotYourTurn` at once when it is not its turn, and `RateLimited` during a block. So does a
        call that Telegram refuses: it may be made again at once, and then waits.
        """
        state = self._chat(chat)
        budgets = state.budgets(urgency, budget)
        if urgency.waits:
            with self._queued(chat, state):
                async with state.order:
                    return await self._final(state, budgets, make, calls)
        if urgency is Urgency.TYPING:  # in no order with the texts, so that none waits for it
            self._admit(chat, state, urgency, budgets)
            return await self._make(state, budgets, make, calls, shows=False)
        async with state.turn:
            self._admit(chat, state, urgency, budgets)
            if not urgency.yields:
                self._wishes.pop(chat, None)
                state.asked_at = float("-inf")
            return await self._make(state, budgets, make, calls, shows=not urgency.yields)

    def ask(self, chat: int, urgency: Urgency, *, budget: Budget = Budget.MESSAGE) -> None:
        """Raise like `call` when it is not the turn of such a call: before work is put into it.

        Whoever is told to come back keeps the place, as with `call`.
        """
        state = self._chat(chat)
        self._admit(chat, state, urgency, state.budgets(urgency, budget))

    def blocked(self, chat: int) -> float:
        """Seconds for which nothing is to be sent to a chat; none if not above zero."""
        state = self._chats.get(chat)
        return state.blocked_until - self._clock.monotonic() if state else 0.0

    async def aside(self, make: Callable[[], Awaitable[T]]) -> T:
        """Make a call that belongs to no chat, as soon as the bot's budget has room.

        It goes before everything else: there are few, and somebody's finger is on a button.
        """
        await self._bot_turn(float("-inf"))
        self._bot.begin(1)
        try:
            return await make()
        finally:
            self._bot.end(self._clock.monotonic(), 1)

    async def look(self, chat: int, make: Callable[[], Awaitable[T]]) -> T:
        """The same for a call that looks for what was lost in a chat: on the chat's budget, too."""
        state = self._chat(chat)
        budgets = (state.bucket,)
        while (own := self._own_wait(state, budgets)) > 0:
            await self._clock.sleep(own)
        await self._bot_turn(float("-inf"))
        return await self._make(state, budgets, make, 1, shows=False)

    def _admit(self, chat: int, state: _Chat, urgency: Urgency, budgets: Sequence[Bucket]) -> None:
        blocked = state.blocked_until - self._clock.monotonic()
        if blocked > 0:
            raise RateLimited(blocked)
        wait = self._wait(chat, state, urgency, budgets)
        if wait > 0:
            if not urgency.yields:
                state.wanted_at = self._clock.monotonic()
                if state.waiting:
                    state.hold(state.wanted_at)
            raise NotYourTurn(min(wait, PATIENCE))

    async def _make(
        self,
        state: _Chat,
        budgets: Sequence[Bucket],
        make: Callable[[], Awaitable[T]],
        calls: int,
        *,
        shows: bool = True,
    ) -> T:
        now = self._clock.monotonic()
        for bucket in budgets:
            bucket.take(now, calls)
        self._bot.begin(calls)
        try:
            return await make()
        except RateLimited as limit:
            state.blocked_until = self._clock.monotonic() + limit.retry_after
            raise
        finally:
            now = self._clock.monotonic()
            self._bot.end(now, calls)
            for bucket in budgets:
                bucket.hold(now)
            if shows:
                state.shown_at = now

    # ------------------------------------------------------------ those who come back

    def _wait(self, chat: int, state: _Chat, urgency: Urgency, budgets: Sequence[Bucket]) -> float:
        """Seconds until it is the turn of a call that does not wait itself; 0 for now."""
        now = self._clock.monotonic()
        if state.waiting and (urgency.yields or not state.is_held_too_long(now)):
            return PATIENCE
        if urgency.yields and state.wanted_at > now - 2 * PATIENCE:
            return PATIENCE
        reserves = chat < 0 and not state.waiting
        need = 1.0 + (GROUP_RESERVE if reserves else 0.0)
        need += TYPING_RESERVE if urgency is Urgency.TYPING else 0.0
        own = max(bucket.wait(now, need) for bucket in budgets)
        if urgency.yields:
            ahead = len(self._finals) + len(self._wishes) + BOT_RESERVE
            return max(own, self._bot.wait(now, ahead + 1))
        if own > 0:
            return own
        rank = self._rank(chat, state, urgency, now)
        finals = len(self._finals)
        if urgency is Urgency.FIRST:  # not those whose chat has seen something recently
            finals = bisect_left(self._finals, (rank[1] - HEAD_START, 0))
        wait = self._bot.wait(now, finals + self._ahead(chat, rank, now) + 1)
        if wait > 0:
            self._wishes[chat] = _Wish(rank, now + MEMORY)
        return wait

    def _rank(self, chat: int, state: _Chat, urgency: Urgency, now: float) -> tuple[Urgency, float]:
        """First texts in the order they were asked for, then the most outdated preview."""
        if urgency is not Urgency.FIRST:
            return (urgency, state.shown_at)
        wish = self._wishes.get(chat)
        asked = wish.rank[1] if wish and wish.rank[0] is Urgency.FIRST else now
        return (urgency, asked)

    def _ahead(self, chat: int, rank: tuple[Urgency, float], now: float) -> int:
        """How many others who were told to come back go before this one."""
        if not self._wishes:
            return 0
        for gone in [other for other, wish in self._wishes.items() if wish.until < now]:
            del self._wishes[gone]
        return sum(wish.rank < rank for other, wish in self._wishes.items() if other != chat)

    # ------------------------------------------------------------ those who wait

    @contextmanager
    def _queued(self, chat: int, state: _Chat) -> Iterator[None]:
        """While a final text waits, no preview of its chat is let through."""
        state.waiting += 1
        self._wishes.pop(chat, None)
        try:
            yield
        finally:
            state.waiting -= 1

    async def _final(
        self,
        state: _Chat,
        budgets: Sequence[Bucket],
        make: Callable[[], Awaitable[T]],
        calls: int,
    ) -> T:
        while True:
            await self._turn(state, budgets)
            if state.is_held_too_long(self._clock.monotonic()):
                await self._give_way(state)
                continue
            async with state.turn:
                free = self._bot.wait(self._clock.monotonic()) <= 0
                if free and self._own_wait(state, budgets) <= 0:  # no preview has used it meanwhile
                    return await self._make(state, budgets, make, calls)

    async def _give_way(self, state: _Chat) -> None:
        """Let the preview go that was held for too long; it comes back soon, or not at all."""
        until = self._clock.monotonic() + 2 * PATIENCE
        while state.is_held_too_long(now := self._clock.monotonic()):
            if now >= until:  # the bot's budget may have no room for previews
                state.held_since = now
                return
            await self._clock.sleep(PATIENCE / 5)

    async def _turn(self, state: _Chat, budgets: Sequence[Bucket]) -> None:
        """Return when all budgets have room; where the screen is most outdated, first."""
        asked = self._clock.monotonic()
        while True:
            while (own := self._own_wait(state, budgets)) > 0:
                await self._clock.sleep(own)
            await self._bot_turn(max(state.shown_at, asked - OVERTAKING))
            if self._own_wait(state, budgets) <= 0:  # it may have been blocked meanwhile
                return

    async def _bot_turn(self, rank: float) -> None:
        ticket = (rank, next(self._tickets))
        insort(self._finals, ticket)
        try:
            while True:
                now = self._clock.monotonic()
                firsts = self._ahead(0, (Urgency.FIRST, rank + HEAD_START), now)
                place = self._finals.index(ticket) + firsts + 1
                wait = self._bot.wait(now, place)
                if wait <= 0:
                    return
                await self._clock.sleep(min(wait, PATIENCE))
        finally:
            self._finals.remove(ticket)

    def _own_wait(self, state: _Chat, budgets: Sequence[Bucket]) -> float:
        now = self._clock.monotonic()
        return max(state.blocked_until - now, *(bucket.wait(now) for bucket in budgets))

    def _chat(self, chat: int) -> _Chat:
        state = self._chats.get(chat)
        if state is None:
            now = self._clock.monotonic()
            self._forget_idle(now)
            state = self._chats[chat] = _Chat(_limit(chat), now)
        return state

    def _forget_idle(self, now: float) -> None:
        if len(self._chats) < CROWD:
            return
        idle = [chat for chat, state in self._chats.items() if state.idle(now)]
        for chat in idle:
            del self._chats[chat]


def _limit(chat: int) -> Limit:
    return PRIVATE if chat > 0 else GROUP  # the ids of groups are negative
