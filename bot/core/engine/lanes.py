"""The engine: takes events in, runs one turn at a time per chat, in order, and never loses one.

The database is the truth: a turn is accepted when it is committed, and claimed from the table.
A wake-up here is only a hint, so the table is looked at from time to time without one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from bot.core.access import Gate
from bot.core.clock import within
from bot.core.engine.attempts import Attempts
from bot.core.engine.chores import Chores
from bot.core.engine.contexts import Contexts
from bot.core.engine.ends import Ends
from bot.core.engine.joining import Joining
from bot.core.engine.leftovers import Leftovers
from bot.core.engine.moving import MovedChats
from bot.core.engine.notices import Notices
from bot.core.engine.router import Intake, Router
from bot.core.engine.searches import Searches
from bot.core.engine.stops import Stops
from bot.core.engine.unfinished import Unfinished
from bot.core.engine.waiting import WaitingRoom
from bot.core.errands import beside, cancel
from bot.core.memory.overhearing import overhear
from bot.core.ports import Platform
from bot.core.queue import Accepted, Turn, Withdrawn
from bot.core.services import Services
from bot.core.stopper import Stopper
from bot.core.types import (
    ButtonPress,
    ChatMoved,
    ChatRef,
    Event,
    Happening,
    IncomingMessage,
    Unreadable,
    Withdrawal,
)
from bot.errors import QueueFull, StoreError

log = logging.getLogger(__name__)

CLAIMS = 32
"""Turns claimed together at most: of all that waited for a restart, the first need not wait for the
last."""
LOOK_AFTER = 5.0
"""Seconds after which the table is looked at without a wake-up."""


class Lanes:
    """Runs turns. `sink` is what the platforms feed, `run` is the engine, `drain` its end."""

    def __init__(
        self, *, platforms: Mapping[str, Platform], services: Services, gate: Gate, router: Router
    ) -> None:
        self._platforms = platforms
        self._stores = services.stores
        self._turns = services.stores.turns
        self._clock = services.clock
        self._gate = gate
        self._router = router
        self._wake = asyncio.Event()
        self._hints = 0  # turns that may have become ready since the last claim
        self._claiming = asyncio.Lock()  # held while turns are claimed that are not begun yet
        self._recovered = False
        self._working: dict[int, asyncio.Task[None]] = {}
        self._room = WaitingRoom(
            platforms, self._turns, self._clock, together=services.defaults.together
        )
        self._notices = Notices(platforms, self._clock)
        self._joining = Joining(self._turns, self._room, self._clock)
        self._unfinished = Unfinished(self._turns, self._clock)
        self._chores = Chores(services)
        self._moved = MovedChats(services.stores.moves, gate)
        self._stops = Stops(self._moved.names)
        self._accepting = True
        self._ends = Ends(platforms, self._stores, self._clock, leaving=self._is_leaving)
        self._searches = Searches(platforms, self._stores, self._clock)
        leftovers = Leftovers(platforms, self._stores, self._searches, self._clock)
        contexts = Contexts(
            platforms=platforms,
            services=services,
            gate=gate,
            room=self._room,
            joining=self._joining,
            unfinished=self._unfinished,
            leftovers=leftovers,
            now=self._moved.now,
            stop_chat=self.stop_chat,
        )
        self._attempts = Attempts(
            router=router,
            contexts=contexts,
            ends=self._ends,
            chores=self._chores,
            stops=self._stops,
            room=self._room,
            leftovers=leftovers,
            searches=self._searches,
            clock=self._clock,
            leaving=self._is_leaving,
        )

    def _is_leaving(self) -> bool:
        return not self._accepting

    # ------------------------------------------------------------ intake

    async def sink(self, event: Happening) -> None:
        """Take an event in; it is committed on return. Raises `StoreError`: then it is not."""
        match event:
            case Unreadable(platform=platform, reason=why):
                log.error("event unreadable", extra={"platform": platform, "why": why})
                await self._turns.bury(event)
            case ChatMoved():
                await self._moved.take_in(event)
                self._wake_up()
            case Withdrawal():
                await self._withdraw(event)
            case _:
                await self._take_in(event)

    async def _take_in(self, event: Event) -> None:
        """Commit an event as a turn, and begin it at once if nothing stands before it."""
        await self._gate.refresh()
        event = await self._joining.with_its_album(event)
        if not self._gate.takes_in(event):
            await overhear(self._stores, self._gate, event)
            return
        intake = await self._router.intake(event, self._stores, self._working)
        may_begin = self._recovered and self._accepting
        try:
            if self._joining.is_declined(event):
                raise QueueFull(in_chat=True)
            accepted = await self._turns.accept(
                intake.event,
                urgent=intake.urgent,
                begin=may_begin,
                lobby=self._platforms[event.chat.platform].lobby(event.chat),
            )
        except QueueFull as full:
            if not full.in_chat:  # nothing more is taken in until there is room
                self._notices.refuse_for_now(event)
                raise
            if not isinstance(event, IncomingMessage):
                await self._notices.refuse_press(event)
                return
            self._joining.decline(event)
            accepted = await self._turns.decline(event)
        self._notices.accepted(event)
        if isinstance(event, ButtonPress) and not intake.urgent:
            self._notices.answer_press(event, 0 if intake.quiet else accepted.ahead)
        if accepted.fresh:
            await self._begin_or_wait(event, intake, accepted)

    async def _begin_or_wait(self, event: Event, intake: Intake, accepted: Accepted) -> None:
        """Begin a turn that was claimed when it was accepted; let another one wait, and say so."""
        chat = event.chat
        self._unfinished.add(chat, accepted.turn_id)
        log.info(
            "accepted",
            extra={
                "platform": chat.platform,
                "chat": chat.id,
                "turn": accepted.turn_id,
                "ahead": accepted.ahead,
                "event": type(event).__name__,
            },
        )
        is_first = self._joining.note(intake.event)  # of its album: one line speaks for all
        if accepted.turn is not None:
            await self._begin_or_release(accepted.turn)
            return
        if is_first and accepted.ahead:
            if isinstance(event, IncomingMessage):
                self._room.add(accepted.turn_id, event)
            elif isinstance(event, ButtonPress):
                self._room.add_press(accepted.turn_id, event)
        self._wake_up()

    async def _withdraw(self, gone: Withdrawal) -> None:
        """Somebody deleted a message: it is not answered any more, and nothing of it is kept.

        It does not matter who: what is gone for everybody is gone for the bot.
        """
        done, chat = await self._turns.withdraw(gone), gone.chat
        if done == Withdrawn():
            return
        log.info(
            "message deleted",
            extra={
                "platform": chat.platform,
                "chat": chat.id,
                "turns": list(done.ended),
                "interrupted": list(done.interrupted),
                "erased": done.erased,
            },
        )
        if done.interrupted:
            async with self._claiming:  # a turn that is being claimed is not in `_stops` yet
                self._stops.stop(chat, done.interrupted)
        self._room.withdraw(chat, done.ended, done.shown)
        await self._turns_are_over(chat, *done.ended)
        self._wake_up()

    # ------------------------------------------------------------ work

    async def run(self) -> None:
        """Claim and work until cancelled; `drain` first, to leave nothing half done."""
        self._turns.listen(self._wake.set, self._abandon, self._stops.stop)
        async with beside(self._searches.run()):
            await self._claim_for_ever()

    async def _claim_for_ever(self) -> None:
        while True:
            self._wake.clear()
            try:
                if not self._recovered:
                    await self._recover()
                while self._accepting and await self._claim():
                    pass
                await self._forget_ended_elsewhere()
            except StoreError as error:
                log.error("cannot claim", extra={"error": repr(error)})
            await within(self._clock, LOOK_AFTER, self._wake.wait())

    async def _claim(self) -> bool:
        """Claim as many turns as may have become ready; False when there are no more.

        Claims that are made together share a commit. Raises `StoreError`.
        """
        count = min(max(1, self._hints), CLAIMS)
        self._hints -= min(count, self._hints)
        claims = (self._claim_one() for _ in range(count))
        async with self._claiming:
            results = await asyncio.gather(*claims, return_exceptions=True)
        for error in results:
            if isinstance(error, BaseException):
                raise error
        if not all(results):
            self._hints = 0
            return False
        self._hints = max(self._hints, 2 * count)
        return True

    async def _claim_one(self) -> bool:
        turn = await self._turns.claim()
        if turn is not None:
            await self._begin_or_release(turn)
        return turn is not None

    async def _begin_or_release(self, turn: Turn) -> None:
        """Begin what was claimed; while the bot is leaving it is left for the next start."""
        if not self._accepting:
            await self._ends.release(turn)
            return
        stopper = Stopper(stopped=turn.stopped)
        if not turn.urgent:  # from now on it can be stopped
            self._stops.put(turn.chat, turn.id, stopper)
        self._working[turn.id] = asyncio.create_task(self._work(turn, stopper))

    async def _recover(self) -> None:
        """Let turns wait again that an earlier process has left running; before any is claimed."""
        count = await self._turns.recover()
        self._recovered = True
        if count:
            log.warning("turns recovered", extra={"turns": count})

    async def _forget_ended_elsewhere(self) -> None:
        """Wait no longer for turns that another process has ended. Raises `StoreError`."""
        for chat, turn_id in await self._unfinished.ended_elsewhere(self._working):
            self._room.begun_elsewhere(chat, turn_id)
            await self._turns_are_over(chat, turn_id)

    async def _turns_are_over(self, chat: ChatRef, *turn_ids: int) -> None:
        if self._unfinished.end(chat, *turn_ids):
            self._room.forget(chat)
        await self._unfinished.notify()

    def _wake_up(self) -> None:
        """Claim soon: a turn may have become ready."""
        self._hints += 1
        self._wake.set()

    async def _work(self, turn: Turn, stopper: Stopper) -> None:
        over, joined = True, list[int]()
        try:
            over = await self._attempts.make(turn, joined, stopper)
        finally:
            self._stops.drop(turn.chat, turn.id)
            del self._working[turn.id]
            self._wake_up()
            if over:
                await self._turns_are_over(turn.chat, turn.id, *joined)

    def _abandon(self, turn_id: int) -> None:
        """Stop working on a turn at once: another process has taken it over."""
        if (task := self._working.get(turn_id)) is not None:
            task.cancel()

    async def stop_chat(self, chat: ChatRef) -> bool:
        """Stop the answer being written in a chat; False when none is. Raises `StoreError`.

        One that was interrupted counts as being written.
        """
        if self._stops.stop(chat):
            return True
        async with self._claiming:
            return self._stops.stop(chat) or await self._turns.stop_elsewhere(chat)

    # ------------------------------------------------------------ ends of the engine

    async def answered(self, chat: ChatRef) -> None:
        """Return when nothing of this chat waits or runs any more."""
        await self._unfinished.wait_until_none(chat)

    async def drain(self, grace: float) -> None:
        """Claim nothing more, give what runs `grace` seconds, and hand back the rest."""
        self._accepting = False
        working = set(self._working.values())
        if working:
            log.info("draining", extra={"turns": len(working), "seconds": grace})
            await asyncio.wait(working, timeout=grace)
        await asyncio.gather(cancel(*working), self._room.close(), self._notices.close())
        await self._chores.close()
