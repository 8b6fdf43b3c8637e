"""Attempts at turns: the work of a turn, and what is written down of it however it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core.engine.chores import Chores
from bot.core.engine.contexts import Contexts
from bot.core.engine.ends import Ends
from bot.core.engine.failures import give_up, reason_of
from bot.core.engine.leftovers import Leftovers
from bot.core.engine.router import Router
from bot.core.engine.searches import Searches
from bot.core.engine.stops import Stops
from bot.core.engine.waiting import WaitingRoom
from bot.core.models import UsageEntry
from bot.core.ports import Clock
from bot.core.queue import Outcome, Turn
from bot.core.stopper import Stopper
from bot.core.turn import TurnContext
from bot.errors import BotError, ChatGone, PlatformError, StoreError, TurnLost, TurnWithdrawn

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""A turn is tried at most so often; then it is dead, and the person is told."""
PAUSES = (0.1, 1.0)
"""Seconds before the second and the third attempt: half of all faults pass by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """Works on turns.

    While the bot is `leaving`, a turn that failed is tried again after the next start.
    """

    router: Router
    contexts: Contexts
    ends: Ends
    chores: Chores
    stops: Stops
    room: WaitingRoom
    leftovers: Leftovers
    searches: Searches
    clock: Clock
    leaving: Callable[[], bool]

    async def make(self, turn: Turn, joined: list[int], stopper: Stopper) -> bool:
        """Work on a turn, and write down what became of it; True when the turn is over.

        The ids of turns that joined it, and end with it, are added to `joined`.
        """
        fields = {"platform": turn.chat.platform, "chat": turn.chat.id, "turn": turn.id}
        ctx: TurnContext | None = None
        try:
            if not self.router.is_words(turn.event):
                await self.ends.note_sender(turn)  # a command may be about those who have spoken
            gather = turn.attempt <= ATTEMPTS
            ctx = await self.contexts.of(turn, joined, stopper, gather=gather)
            if turn.attempt > ATTEMPTS:
                await self._give_up(ctx, interrupted=True)
                return await self.ends.fail(turn, "interrupted too often", dead=True)
            try:
                outcome = await self._handle(ctx)
            except TurnWithdrawn:
                joined.clear()  # they wait by themselves
                log.info("turn withdrawn", extra=ctx.log)
                await ctx.take_away()  # it helps nobody, and may say what was deleted
                return await self.ends.dissolve(ctx.turn, ctx.spent)
        except asyncio.CancelledError:
            await asyncio.shield(self.ends.release(turn, _spent(ctx)))
            raise
        except TurnLost:
            log.warning("turn taken over", extra=fields)
            return True
        except ChatGone as error:
            log.info("chat gone", extra={**fields, "error": repr(error)})
            usage = _spent(ctx)
            return await self.ends.fail(turn, "the chat is gone", dead=True, usage=usage)
        except Exception as error:
            # The one place where a bug ends: said once, with all there is to know, and the bot
            # lives. The turn is tried again, since half of such faults pass by themselves.
            _log_failure(error, {**fields, "attempt": turn.attempt})
            dead = await self._fail_or_retry(turn, ctx, error)
            joined.clear()  # they wait by themselves
            return dead
        await self._finish(turn, ctx, outcome)
        return True

    async def _finish(self, turn: Turn, ctx: TurnContext, outcome: Outcome) -> None:
        """Write down what came of a turn, and begin the chores that it gives reason for."""
        try:
            if self.router.is_words(turn.event):
                await self.ends.note_sender(turn)
            is_kept = await self.ends.finish(turn, outcome)
        except asyncio.CancelledError:  # it stands in the chat, and is not to be answered again
            await asyncio.shield(self.ends.finish(turn, outcome))
            raise
        if is_kept:
            log.info("turn done", extra={**ctx.log, **_told_of(outcome.usage)})
            self.chores.after(replace(turn, chat=ctx.chat, settings=ctx.settings), outcome)

    async def _handle(self, ctx: TurnContext) -> Outcome:
        turn = ctx.turn
        await self.leftovers.begin(turn)
        try:
            outcome = await self.router.handle(ctx)
            await self.searches.write_down(turn, ctx.shown)
            return outcome
        finally:
            self.leftovers.end(turn)
            if not turn.urgent:
                self.stops.drop(turn.chat, turn.id)
                self.room.answer_ended(turn.chat)

    async def _fail_or_retry(self, turn: Turn, ctx: TurnContext | None, error: Exception) -> bool:
        dead = turn.attempt >= ATTEMPTS
        if dead:
            try:
                last = ctx or await self.contexts.of(turn, [], Stopper(), gather=False)
                await self._give_up(last, interrupted=False)
            except Exception as second:  # also a bug: what waits behind it must not wait for ever
                extra = {"turn": turn.id, "error": reason_of(second)}
                is_bug = not isinstance(second, BotError)
                log.error("failure not shown", extra=extra, exc_info=is_bug)
        elif not self.leaving():
            await self.clock.sleep(PAUSES[turn.attempt - 1])
        return await self.ends.fail(turn, reason_of(error), dead=dead, usage=_spent(ctx))

    async def _give_up(self, ctx: TurnContext, *, interrupted: bool) -> None:
        """Tell that a turn is given up. What waits is told of it below the next answer."""
        try:
            await give_up(ctx, interrupted=interrupted)
            await self.searches.write_down(ctx.turn, ctx.shown)
        finally:
            if not ctx.turn.urgent:
                self.room.answer_ended(ctx.turn.chat)


def _log_failure(error: Exception, fields: Mapping[str, object]) -> None:
    """A bug with its traceback; what a platform or the database says is none."""
    is_bug = not isinstance(error, PlatformError | StoreError)
    level = logging.ERROR if is_bug else logging.WARNING
    extra = {**fields, "error": reason_of(error)}
    log.log(level, "turn failed", extra=extra, exc_info=is_bug)


def _told_of(usage: Sequence[UsageEntry]) -> Mapping[str, object]:
    """The fields of the log that say what a turn took: `cost` in USD, null where it is unknown."""
    if not usage:
        return {}
    costs = [entry.cost for entry in usage if entry.cost is not None]
    return {
        "model": ", ".join(dict.fromkeys(entry.model for entry in usage)),
        "tokens": sum(entry.prompt_tokens + entry.completion_tokens for entry in usage),
        "cost": round(float(sum(costs)), 6) if len(costs) == len(usage) else None,
        "seconds": round(sum(entry.latency or 0.0 for entry in usage), 2),
    }


def _spent(ctx: TurnContext | None) -> Sequence[UsageEntry]:
    return ctx.spent if ctx is not None else ()
